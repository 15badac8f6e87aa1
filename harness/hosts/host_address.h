#pragma once
// Where another machine is, in the words of ssh.

#include <string>

#include "base/result.h"

namespace consistory {

struct HostAddress {
  std::string login;        ///< "user@host" or "host", as ssh takes it
  unsigned short port = 0;  ///< 0: ssh's own choice

  /// "root@db1", "db1:2222". A usage error if it is none.
  static Result<HostAddress> parse(const std::string& text);
  /// Without the user.
  std::string host() const;
};

}  // namespace consistory
