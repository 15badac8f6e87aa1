#include "checkers/streaming/streaming_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checkers/streaming/pram_stream.h"
#include "checkers/streaming/version_stream.h"
#include "checkers/streaming/weak_causal_stream.h"

namespace consistory {

/// Do the final reads of each key agree, at every replica?
class FinalStream {
 public:
  explicit FinalStream(std::size_t replicas) : replicas_(replicas) {
    verdict_ = {Verdict::not_checked, "no final read yet"};
  }

  void complete(const StreamOperation& operation, const WeakCausalStream& causal) {
    keys_.insert(operation.key);
    if (!operation.final || operation.outcome != Outcome::ok) return;
    const auto [first, fresh] = first_.try_emplace(operation.key, operation.value);
    seen_.insert({operation.key, operation.node});
    if (verdict_.verdict == Verdict::violated || unexplained_) return;
    if (!fresh && first->second != operation.value) {
      verdict_ = {Verdict::violated, fmt::format("the nodes disagree on key {}", operation.key)};
    } else if (operation.value && !causal.knows(*operation.value)) {
      unexplained_ = true;
      verdict_ =
          causal.forgot_some() || causal.verdict().verdict != Verdict::holds
              ? StreamingVerdict{Verdict::inconclusive, "who wrote a final value is not remembered"}
              : StreamingVerdict{Verdict::violated, "nobody wrote a final value"};
    }
  }

  void finish() {
    const bool covered = seen_.size() == keys_.size() * replicas_;
    if (verdict_.verdict != Verdict::not_checked) return;
    if (covered && !seen_.empty()) verdict_ = {Verdict::holds, {}};
    else verdict_.why = "some node has no final read of some key";
  }

  const StreamingVerdict& verdict() const { return verdict_; }

 private:
  std::size_t replicas_;
  std::set<KeyId> keys_;
  std::map<KeyId, std::optional<std::int64_t>> first_;
  std::set<std::pair<KeyId, NodeId>> seen_;
  bool unexplained_ = false;
  StreamingVerdict verdict_;
};

std::string_view name_of(StreamingModel model) {
  constexpr std::array<std::string_view, kStreamingModels> kNames = {
      "weak-causal",      "pram",
      "monotonic-reads",  "monotonic-writes",
      "read-your-writes", "writes-follow-reads",
      "convergence"};
  return kNames[static_cast<std::size_t>(model)];
}

StreamingChecker::StreamingChecker(std::size_t sessions, std::size_t replicas)
    : causal_(std::make_unique<WeakCausalStream>(sessions)),
      pram_(std::make_unique<PramStream>(sessions)),
      versions_(std::make_unique<VersionStream>()),
      finals_(std::make_unique<FinalStream>(replicas)) {}

StreamingChecker::~StreamingChecker() = default;

void StreamingChecker::begin(const StreamOperation& update) {
  causal_->begin(update);
  pram_->begin(update);
}

void StreamingChecker::complete(const StreamOperation& operation) {
  const bool reads_at_the_end = operation.final && !causal_->is_announced(operation.session);
  if (!reads_at_the_end) {
    causal_->complete(operation);
    pram_->complete(operation);
  }
  versions_->complete(operation);
  finals_->complete(operation, *causal_);
}

void StreamingChecker::retire(SessionId session) {
  causal_->retire(session);
  pram_->retire(session);
}

void StreamingChecker::finish() {
  causal_->finish();
  pram_->finish();
  finals_->finish();
}

const StreamingVerdict& StreamingChecker::verdict(StreamingModel model) const {
  switch (model) {
    case StreamingModel::weak_causal:
      return causal_->verdict();
    case StreamingModel::pram:
      return pram_->verdict();
    case StreamingModel::convergence:
      return finals_->verdict();
    default:
      return versions_->verdict(model);
  }
}

std::size_t StreamingChecker::remembered() const {
  return std::max(causal_->remembered(), pram_->remembered());
}

}  // namespace consistory
