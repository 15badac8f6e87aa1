#pragma once
// A member that others started on a host where our helper runs: it can be killed, started again as
// it was started before, stopped and continued.

#include "harness/cluster/member.h"
#include "harness/hosts/remote_host.h"

namespace consistory {

class HostedMember final : public Member {
 public:
  /// The host must outlive it.
  HostedMember(RemoteHost& host, NodeLayout layout) : Member(std::move(layout)), host_(host) {}

  Status prepare() override { return Done{}; }
  Status spawn() override;
  bool is_up() const override { return up_; }
  /// Others may start and end it: what it did by itself the load will show.
  std::optional<std::string> end() override { return std::nullopt; }
  Result<std::string> kill() override;
  Result<std::string> stop() override { return host_.ask("stop"); }
  Status go_on() override;
  std::string last_words() const override { return "see its log on " + host_.name(); }

 private:
  RemoteHost& host_;
  bool up_ = true;
};

}  // namespace consistory
