// consistory-host-helper: what the controller uploads to a host that it is to break. It takes a
// request a line on standard input, "7 cut from_n2", and answers each by a line, "7 ok" or "7 error
// why". It lives as long as the controller speaks: at the end of its input, or after a minute
// without a word, it undoes whatever it did and ends. Its file is deleted as it begins.
//
// usage: consistory-host-helper "$SSH_CONNECTION"
#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>

#include "harness/hosts/packet_filter.h"
#include "harness/hosts/served_process.h"

namespace consistory {
namespace {

constexpr int kSilenceMs = 60'000;
constexpr std::size_t kRequestBytesMax = 1 << 16;

/// Of this host, but for loopback and those that mean nothing beyond their link.
std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return addresses;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;
      inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size());
    }
    const std::string address = text.data();
    if (!address.empty() && address != "::1" && !address.starts_with("127."))
      addresses.push_back(address);
  }
  freeifaddrs(all);
  return addresses;
}

class Helper {
 public:
  /// "10.0.0.9 51234 10.0.0.1 22", as sshd tells it.
  explicit Helper(const std::string& connection) {
    std::istringstream words(connection);
    std::string port_there, own;
    words >> controller_ >> port_there >> own >> ssh_port_;
  }

  ~Helper() {
    if (process_) process_->restore();
    if (filter_) filter_->remove();
  }

  /// The words after the number; returns what follows "ok".
  Result<std::string> answer(const std::string& request) {
    std::istringstream words(request);
    std::string name;
    words >> name;
    if (name == "hello") return hello(words);
    if (name == "beat") return std::string();
    if (!process_) return usage_error("say hello first");
    if (name == "kill") return process_->kill();
    if (name == "start") return done(process_->start());
    if (name == "stop") return process_->stop();
    if (name == "continue") {
      process_->go_on();
      return std::string();
    }
    if (name == "counts") return counts(rest_of(words));
    std::string link;
    words >> link;
    if (name == "sender") return done(filter_->add_sender(link, rest_of(words)));
    if (name == "cut") return done(filter_->set_cut(link, true));
    if (name == "join") return done(filter_->set_cut(link, false));
    if (name == "shape") {
      unsigned lost_of_million = 0;
      std::uint64_t bytes_per_second = 0;
      words >> lost_of_million >> bytes_per_second;
      return done(filter_->shape(link, lost_of_million, bytes_per_second));
    }
    return usage_error(fmt::format("unknown request {}", name));
  }

 private:
  static Result<std::string> done(const Status& status) {
    if (!status) return status.error();
    return std::string();
  }

  static std::vector<std::string> rest_of(std::istringstream& words) {
    std::vector<std::string> all;
    for (std::string word; words >> word;) all.push_back(word);
    return all;
  }

  /// "hello PORT TABLE RESTART…": what is served, and what our table of nft is called.
  Result<std::string> hello(std::istringstream& words) {
    unsigned short port = 0;
    std::string table, restart;
    words >> port >> table >> std::ws;
    std::getline(words, restart);
    process_.emplace(port, restart);
    const Result<std::optional<pid_t>> found = process_->find();
    if (!found) return found.error();
    const std::optional<pid_t> main = *found;
    if (!main)
      return store_error(fmt::format(
          "no process that listens on port {} can be seen{}", port,
          geteuid() == 0 ? "" : " (as an ordinary user: log in as root, or allow sudo -n)"));
    const std::string doubt = process_->has_restart() ? "" : Launch::doubt_about(*main);
    if (!doubt.empty())
      return store_error(fmt::format(
          "process {}, on port {}, cannot be started again as it was ({}): say how, by --restart",
          *main, port, doubt));
    if (controller_.empty())
      return environment_error("$SSH_CONNECTION is empty: this is no session of sshd");
    const std::string spared =
        fmt::format("{} saddr {} tcp dport {}", family(), controller_, ssh_port_);
    filter_.emplace(table, spared);
    if (Status in = filter_->add_client("from_clients", controller_, port); !in) return in.error();
    if (Status out = filter_->add_answers("to_clients", controller_, port); !out)
      return out.error();
    std::string line = std::to_string(*main);
    for (const std::string& address : own_addresses()) line += " " + address;
    return line;
  }

  std::string family() const { return controller_.find(':') == std::string::npos ? "ip" : "ip6"; }

  /// Of each link five numbers.
  Result<std::string> counts(const std::vector<std::string>& links) const {
    const Result<std::vector<Passage>> passages = filter_->passages(links);
    if (!passages) return passages.error();
    std::string line;
    for (const Passage& passage : *passages)
      line += fmt::format("{} {} {} {} {} ", passage.cut_packets, passage.cut_bytes,
                          passage.passed_packets, passage.passed_bytes, passage.lost_packets);
    return line;
  }

  std::string controller_, ssh_port_;
  std::optional<ServedProcess> process_;
  std::optional<PacketFilter> filter_;
};

/// The next line of standard input; nothing at its end, or after too long a silence.
std::optional<std::string> next_request() {
  static std::string received;
  for (;;) {
    const std::size_t end = received.find('\n');
    if (end != std::string::npos) {
      std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      return line;
    }
    pollfd poller{STDIN_FILENO, POLLIN, 0};
    if (received.size() > kRequestBytesMax || poll(&poller, 1, kSilenceMs) <= 0)
      return std::nullopt;
    std::array<char, 4096> some{};
    const ssize_t count = read(STDIN_FILENO, some.data(), some.size());
    if (count <= 0) return std::nullopt;
    received.append(some.data(), static_cast<std::size_t>(count));
  }
}

void delete_own_file() {
  std::error_code ignored;
  std::filesystem::remove(std::filesystem::read_symlink("/proc/self/exe", ignored), ignored);
}

std::string one_line(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return text;
}

int help(const std::string& connection) {
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  Helper helper(connection);
  while (const std::optional<std::string> line = next_request()) {
    const std::size_t space = line->find(' ');
    if (space == std::string::npos) continue;
    const Result<std::string> answer = helper.answer(line->substr(space + 1));
    const std::string text = answer ? *answer : answer.error().message;
    std::printf("%s %s %s\n", line->substr(0, space).c_str(), answer ? "ok" : "error",
                one_line(text).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace consistory

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("usage: consistory-host-helper \"$SSH_CONNECTION\"; the controller uploads it\n",
               stderr);
    return 64;
  }
  consistory::delete_own_file();
  return consistory::help(words[1]);
}
