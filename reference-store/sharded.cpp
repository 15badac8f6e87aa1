// Each share of the keys is a protocol of its own (primary.cpp); records and messages are marked
// with the share they belong to. Nothing orders updates of different shares, which is the point.
#include "reference-store/sharded.h"

#include "reference-store/hash.h"

namespace refstore {
namespace {

class Sharded final : public Protocol {
 public:
  explicit Sharded(const Config& config) {
    for (Peer primary = 1; primary <= config.nodes; ++primary) {
      Config share = config;
      share.primary_node = primary;
      shares_.push_back(make_primary(share));
    }
  }

  void recover(const Json& record) override { shares_.at(record[0])->recover(record[1]); }

  void on_request(const Request& request, Time now, Output& out) override {
    const std::size_t share = share_of(request.key);
    Output inner;
    shares_[share]->on_request(request, now, inner);
    collect(share, inner, out);
  }

  void on_message(Peer from, const Json& message, Time now, Output& out) override {
    deliver(static_cast<std::size_t>(from) - 1, from, {{"t", "heartbeat"}}, now, out);
    if (message.contains("share")) deliver(message["share"], from, message.at("m"), now, out);
  }

  void on_tick(Time now, Output& out) override {
    for (std::size_t share = 0; share < shares_.size(); ++share) {
      Output inner;
      shares_[share]->on_tick(now, inner);
      collect(share, inner, out);
    }
  }

  Json status() const override {
    Json all{{"position", ""}, {"pending", 0}, {"role", "primary of its share"}, {"lag", 0}};
    for (const auto& share : shares_) {
      const Json one = share->status();
      all["position"] =
          all["position"].get<std::string>() + one["position"].get<std::string>() + " ";
      for (const char* sum : {"pending", "lag"})
        all[sum] = all[sum].get<std::size_t>() + one[sum].get<std::size_t>();
      all["vector"].update(one["vector"]);
    }
    return all;
  }

  Json dump() const override {
    Json all = Json::object();
    for (const auto& share : shares_) all.update(share->dump());
    return all;
  }

  bool may_serve(const Request& request, const Updates& seen) const override {
    return shares_[share_of(request.key)]->may_serve(request, seen);
  }

 private:
  void deliver(std::size_t share, Peer from, const Json& message, Time now, Output& out) {
    if (share >= shares_.size()) return;
    Output inner;
    shares_[share]->on_message(from, message, now, inner);
    collect(share, inner, out);
  }

  std::size_t share_of(const std::string& key) const {
    return (hash_of(key) >> 7) % shares_.size();
  }

  static void collect(std::size_t share, Output& inner, Output& out) {
    for (Json& record : inner.records)
      out.records.push_back(Json::array({share, std::move(record)}));
    for (auto& send : inner.sends)
      out.sends.push_back({send.to, {{"share", share}, {"m", std::move(send.message)}}});
    for (auto& reply : inner.replies) out.replies.push_back(std::move(reply));
  }

  std::vector<std::unique_ptr<Protocol>> shares_;  // [i]: the primary is node i+1
};

}  // namespace

std::unique_ptr<Protocol> make_per_key_primaries(const Config& config) {
  return std::make_unique<Sharded>(config);
}

}  // namespace refstore
