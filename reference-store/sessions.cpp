// Table of Terry et al. 1994, section 4: before a read, monotonic reads asks for what the session
// read and read your writes for what it wrote; before an update, monotonic writes asks for what it
// wrote and writes follow reads for what it read. The update then depends on the same: no node
// shows it without them, or the last two guarantees would hold at one node only.
//
// The protocol below says which updates each answer showed or wrote, in its token; the layer adds
// them to the client's token {"r": read, "w": written}.
#include "reference-store/sessions.h"

#include "reference-store/waiting_room.h"

namespace refstore {
namespace {

class Sessions final : public Protocol {
 public:
  Sessions(const Config& config, std::unique_ptr<Protocol> inner)
      : config_(config),
        inner_(std::move(inner)),
        monotonic_reads_(has("mr")),
        monotonic_writes_(has("mw")),
        read_your_writes_(has("ryw")),
        writes_follow_reads_(has("wfr")) {}

  void recover(const Json& record) override { inner_->recover(record); }

  void on_request(const Request& request, Time now, Output& out) override {
    if (request.local) inner_->on_request(request, now, out);
    else if (may_go(request)) pass(request, now, out);
    else behind_.admit(request, now + config_.request_timeout);
    tell_what_was_seen(out);
  }

  void on_message(Peer from, const Json& message, Time now, Output& out) override {
    inner_->on_message(from, message, now, out);
    if (behind_.size() > 0) {
      for (const Request& request : behind_.take([this](const Request& r) { return may_go(r); }))
        pass(request, now, out);
    }
    tell_what_was_seen(out);
  }

  void on_tick(Time now, Output& out) override {
    inner_->on_tick(now, out);
    behind_.refuse_late(now, out);
    tell_what_was_seen(out);
    std::erase_if(open_, [&](const auto& entry) { return entry.second.forget_at < now; });
  }

  Json status() const override {
    Json status = inner_->status();
    status["pending"] = status["pending"].get<std::size_t>() + behind_.size();
    status["session"] = config_.session;
    return status;
  }
  Json dump() const override { return inner_->dump(); }

 private:
  struct Seen {
    Updates read;
    Updates written;
  };
  struct Open {
    Seen seen;
    bool reads;  // a cas does both
    bool writes;
    Millis forget_at;
  };

  bool has(const std::string& guarantee) const {
    return ("," + config_.session + ",").find("," + guarantee + ",") != std::string::npos;
  }

  static Seen seen_by(const Request& request) {
    if (!request.token.is_object()) return {};
    return {updates_of(request.token.value("r", Json())),
            updates_of(request.token.value("w", Json()))};
  }

  Updates needed(const Request& request) const {
    const bool is_read = request.f == "read";
    const Seen seen = seen_by(request);
    Updates needed;
    if (is_read ? monotonic_reads_ : writes_follow_reads_) merge(needed, seen.read);
    if (is_read ? read_your_writes_ : monotonic_writes_) merge(needed, seen.written);
    return needed;
  }

  bool may_go(const Request& request) const { return inner_->may_serve(request, needed(request)); }

  void pass(const Request& request, Time now, Output& out) {
    Request inner = request;
    if (request.f != "read") inner.depends = needed(request);
    if (config_.planted("session-without-dependencies")) inner.depends.clear();
    const Millis forget_at = now + 10 * config_.request_timeout;
    const bool reads = request.f == "read" || request.f == "cas";
    open_[request.id] = {seen_by(request), reads, request.f != "read", forget_at};
    inner_->on_request(inner, now, out);
  }

  void tell_what_was_seen(Output& out) {
    for (Output::Reply& reply : out.replies) {
      const auto open = open_.find(reply.id);
      if (open == open_.end()) continue;
      Seen& seen = open->second.seen;
      const Updates shown = updates_of(reply.response.token);
      if (open->second.reads) merge(seen.read, shown);
      if (open->second.writes && !config_.planted("session-forgets-writes"))
        merge(seen.written, shown);
      inner_->forget(seen.read);
      inner_->forget(seen.written);
      reply.response.token = {{"r", seen.read}, {"w", seen.written}};
      open_.erase(open);
    }
  }

  Config config_;
  std::unique_ptr<Protocol> inner_;
  bool monotonic_reads_, monotonic_writes_, read_your_writes_, writes_follow_reads_;
  WaitingRoom behind_;
  std::map<std::uint64_t, Open> open_;  // requests that the protocol below has not answered
};

}  // namespace

std::unique_ptr<Protocol> make_sessions(const Config& config, std::unique_ptr<Protocol> inner) {
  return std::make_unique<Sessions>(config, std::move(inner));
}

}  // namespace refstore
