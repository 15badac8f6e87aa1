#include "checkers/witness/separation.h"

#include <algorithm>

#include "base/random.h"
#include "checkers/history/builder.h"

namespace consistory {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kOperationsMin = 2;
constexpr std::size_t kOperationsMax = 8;
constexpr std::size_t kTriesOfAKind = 8'000;  // for each length
constexpr std::uint64_t kStepsPerTry = 20'000;

using Operations = std::vector<RawOperation>;

/// Plainer ones first.
enum class Kind : std::uint8_t {
  past,      ///< registers; reads return what was written before
  lists,     ///< the same of lists
  any_time,  ///< registers; also what is written later
};

/// A random history whose operations follow one another: real time orders them all.
class Sample {
 public:
  Sample(Random& random, Kind kind, std::size_t operations, bool finals)
      : random_(random), kind_(kind), operations_(operations), finals_(finals) {}

  Operations draw() {
    const std::size_t sessions = 1 + random_.below(4);
    const std::size_t keys = 1 + random_.below(2);
    const bool lists = kind_ == Kind::lists;
    Operations all;
    for (std::size_t i = 0; i < operations_; ++i) {
      const bool final = finals_ && i + 2 >= operations_ && operations_ > 2;
      all.push_back(operation(sessions, keys, lists, final, i));
    }
    for (RawOperation& raw : all) {
      if (raw.function == Function::read) choose_result(raw, all, lists);
    }
    return all;
  }

 private:
  RawOperation operation(std::size_t sessions, std::size_t keys, bool lists, bool final,
                         std::size_t place) {
    RawOperation raw;
    raw.session = std::string(1, static_cast<char>('A' + random_.below(sessions)));
    raw.key =
        std::string(1, static_cast<char>((lists ? 'l' : 'x') + random_.below(final ? 1 : keys)));
    raw.invoke = 10 * static_cast<std::int64_t>(place);
    raw.complete = raw.invoke + 9;
    const bool update = !final && random_.chance(0.5);
    raw.function = !update ? Function::read : lists ? Function::append : Function::write;
    if (update) raw.value = Value::of(static_cast<std::int64_t>(place) + 1);
    raw.final = final;
    if (final) raw.session = place + 1 == operations_ ? "G" : "F";
    if (final) raw.node = place + 1 == operations_ ? "n2" : "n1";
    return raw;
  }

  /// Any value that somebody writes to the key, or none yet.
  void choose_result(RawOperation& read, const Operations& all, bool lists) {
    std::vector<Value> values;
    for (const RawOperation& other : all) {
      if (kind_ != Kind::any_time && other.invoke > read.invoke) break;
      if (other.function != Function::read && other.key == read.key) values.push_back(other.value);
    }
    if (!lists) {
      const std::size_t at = random_.below(values.size() + 1);
      if (at < values.size()) read.value = values[at];
      return;
    }
    for (std::size_t i = values.size(); i > 1; --i) {
      if (random_.chance(0.3)) std::swap(values[i - 1], values[random_.below(i)]);
    }
    read.elements.emplace();
    for (const Value& value : values) {
      if (random_.chance(0.6)) read.elements->push_back(value);
    }
  }

  Random& random_;
  Kind kind_;
  std::size_t operations_;
  bool finals_;
};

std::optional<History> built(const Operations& operations) {
  HistoryBuilder builder;
  for (const RawOperation& raw : operations) builder.add(raw);
  Result<History> history = std::move(builder).finish();
  return history ? std::optional(std::move(*history)) : std::nullopt;
}

Verdict verdict_of(const Model& model, const History& history) {
  Budget budget(kStepsPerTry);
  return model.judge(history, budget).verdict;
}

class Search {
 public:
  Search(const std::vector<const Model*>& holding, const Model& violated)
      : holding_(holding), violated_(violated) {
    for (const Model* model : holding) quiescent_ = quiescent_ || model->quiescent;
    quiescent_ = quiescent_ || violated.quiescent;
  }

  std::optional<History> run() {
    Random random(kSeed);
    for (const Kind kind : {Kind::past, Kind::lists, Kind::any_time}) {
      for (std::size_t length = kOperationsMin; length <= kOperationsMax; ++length) {
        for (std::size_t i = 0; i < kTriesOfAKind; ++i) {
          Operations operations = Sample(random, kind, length, quiescent_).draw();
          if (separates(operations)) return built(shrunk(std::move(operations)));
        }
      }
    }
    return std::nullopt;
  }

 private:
  bool separates(const Operations& operations) const {
    const std::optional<History> history = built(operations);
    if (!history || verdict_of(violated_, *history) != Verdict::violated) return false;
    return std::all_of(holding_.begin(), holding_.end(), [&](const Model* model) {
      return verdict_of(*model, *history) == Verdict::holds;
    });
  }

  Operations shrunk(Operations operations) const {
    for (std::size_t i = 0; i < operations.size();) {
      Operations fewer = operations;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (separates(fewer)) {
        operations = std::move(fewer);
        i = 0;
      } else {
        ++i;
      }
    }
    return operations;
  }

  const std::vector<const Model*>& holding_;
  const Model& violated_;
  bool quiescent_ = false;
};

bool implies(std::string_view strong, std::string_view weak) {
  const std::vector<std::string_view> implied = implied_by(strong);
  return std::find(implied.begin(), implied.end(), weak) != implied.end();
}

/// Of `models` those that no other of them lies nearer than.
std::vector<const Model*> nearest(const std::vector<const Model*>& models, bool stronger) {
  std::vector<const Model*> kept;
  for (const Model* model : models) {
    const bool hidden = std::any_of(models.begin(), models.end(), [&](const Model* other) {
      if (other == model) return false;
      return stronger ? implies(model->name, other->name) : implies(other->name, model->name);
    });
    if (!hidden) kept.push_back(model);
  }
  return kept;
}

}  // namespace

std::optional<History> separating_history(const std::vector<const Model*>& holding,
                                          const Model& violated) {
  return Search(holding, violated).run();
}

std::vector<const Model*> nearest_stronger(const Model& model) {
  std::vector<const Model*> stronger;
  for (const Model& other : all_models()) {
    if (implies(other.name, model.name)) stronger.push_back(&other);
  }
  return nearest(stronger, true);
}

std::vector<const Model*> nearest_weaker(const Model& model) {
  std::vector<const Model*> weaker;
  for (const Model& other : all_models()) {
    if (implies(model.name, other.name)) weaker.push_back(&other);
  }
  return nearest(weaker, false);
}

}  // namespace consistory
