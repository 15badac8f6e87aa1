#include "harness/hosts/hosted_member.h"

namespace consistory {

Status HostedMember::spawn() {
  const Result<std::string> started = host_.ask("start");
  if (!started) return started.error();
  up_ = true;
  return Done{};
}

Result<std::string> HostedMember::kill() {
  if (!up_) return std::string();
  Result<std::string> how = host_.ask("kill");
  if (how) up_ = false;
  return how;
}

Status HostedMember::go_on() {
  const Result<std::string> gone_on = host_.ask("continue");
  return gone_on ? Status(Done{}) : gone_on.error();
}

}  // namespace consistory
