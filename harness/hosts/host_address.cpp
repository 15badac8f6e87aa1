#include "harness/hosts/host_address.h"

#include <fmt/format.h>

#include <charconv>

namespace consistory {

Result<HostAddress> HostAddress::parse(const std::string& text) {
  HostAddress address{text, 0};
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && text.find(':') == colon;  // not of IPv6
  if (has_port) {
    address.login = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (status != std::errc{} || stop != end || address.port == 0) address.login.clear();
  }
  const std::string host = address.host();
  if (!host.empty() && address.login.front() != '-' && host.front() != '-' &&
      text.find_first_of(" \t\n[]") == std::string::npos)
    return address;
  return usage_error(fmt::format(
      "--host must be a host as ssh takes it, such as root@db1 or db1:2222, not \"{}\"", text));
}

std::string HostAddress::host() const {
  const std::size_t at = login.rfind('@');
  return at == std::string::npos ? login : login.substr(at + 1);
}

}  // namespace consistory
