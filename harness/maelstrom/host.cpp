#include "harness/maelstrom/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "harness/cluster/child_process.h"
#include "harness/stores/installed.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLineBytesMax = 1 << 20;
constexpr std::size_t kDatagramMax = 60'000;
constexpr std::size_t kBacklogMax = 16 << 20;  // what a node has not read yet

sockaddr_in address_of(const Endpoint& node, unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, node.host.c_str(), &address.sin_addr);
  return address;
}

Descriptor listen_on(const Endpoint& own, int type, unsigned short port) {
  Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(*socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = address_of(own, port);
  const bool bound =
      bind(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const bool fine = bound && (type == SOCK_DGRAM || listen(*socket, 64) == 0);
  return fine ? std::move(socket) : Descriptor();
}

/// Whole lines out of what comes in pieces; what is longer than a line may be is dropped.
class Lines {
 public:
  void add(const char* bytes, std::size_t count) {
    text_.append(bytes, count);
    if (text_.size() > kLineBytesMax && text_.find('\n') == std::string::npos) text_.clear();
  }
  std::optional<std::string> next() {
    const std::size_t end = text_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

 private:
  std::string text_;
};

class Host {
 public:
  explicit Host(const MaelstromHost& options) : options_(options) {}

  int run() {
    const Endpoint& own = options_.nodes[options_.number - 1];
    datagrams_ = listen_on(own, SOCK_DGRAM, peer_port(own));
    listener_ = listen_on(own, SOCK_STREAM, own.port);
    if (!datagrams_ || !listener_) {
      std::fprintf(stderr, "maelstrom host: cannot listen on %s\n", own.text().c_str());
      return 69;
    }
    Result<ChildProcess> node =
        ChildProcess::spawn_piped({find_program(options_.command.front()),
                                   {options_.command.begin() + 1, options_.command.end()}},
                                  "/dev/stderr", to_node_, from_node_);
    if (!node) {
      std::fprintf(stderr, "maelstrom host: %s\n", node.error().message.c_str());
      return 69;
    }
    for (const Descriptor* end : {&from_node_, &to_node_})
      fcntl(**end, F_SETFL, fcntl(**end, F_GETFL) | O_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    introduce();
    while (turn()) continue;
    const auto end = node->wait(monotonic_now() + kSecond);
    std::fprintf(stderr, "maelstrom host: the node %s\n",
                 end ? describe_end(*end).c_str() : "closed its output");
    return 1;
  }

 private:
  struct Client {
    Descriptor socket;
    Lines lines;
  };
  struct Asked {
    std::uint64_t client;
    Json id;
  };

  static unsigned short peer_port(const Endpoint& node) {
    return static_cast<unsigned short>(node.port + 1);
  }
  std::string name() const { return fmt::format("n{}", options_.number); }

  /// Of nodes that spread what they hear: neighbours in a line.
  void tell_topology() {
    Json neighbours = Json::object();
    const std::size_t count = options_.nodes.size();
    for (std::size_t i = 1; i <= count; ++i) {
      Json& of_node = neighbours[fmt::format("n{}", i)] = Json::array();
      if (i > 1) of_node.push_back(fmt::format("n{}", i - 1));
      if (i < count) of_node.push_back(fmt::format("n{}", i + 1));
    }
    give_node(
        {{"src", "c0"},
         {"dest", name()},
         {"body", {{"type", "topology"}, {"msg_id", ++last_message_}, {"topology", neighbours}}}});
  }

  void introduce() {
    Json names = Json::array();
    for (std::size_t i = 1; i <= options_.nodes.size(); ++i) names.push_back(fmt::format("n{}", i));
    give_node(
        {{"src", "c0"},
         {"dest", name()},
         {"body", {{"type", "init"}, {"msg_id", 0}, {"node_id", name()}, {"node_ids", names}}}});
  }

  /// Waits for something to happen and deals with it; false once the node has ended.
  bool turn() {
    std::vector<pollfd> pollers = {{*from_node_, POLLIN, 0},
                                   {*datagrams_, POLLIN, 0},
                                   {*listener_, POLLIN, 0},
                                   {to_say_.empty() ? -1 : *to_node_, POLLOUT, 0}};
    std::vector<std::uint64_t> order;
    for (const auto& [number, client] : clients_) {
      pollers.push_back({*client.socket, POLLIN, 0});
      order.push_back(number);
    }
    poll(pollers.data(), pollers.size(), -1);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (pollers[i + 4].revents != 0) hear_client(order[i]);
    }
    if (pollers[1].revents != 0) hear_peers();
    if (pollers[2].revents != 0) take_client();
    if (pollers[3].revents != 0) tell_node();
    return pollers[0].revents == 0 || hear_node();
  }

  void take_client() {
    Descriptor socket(accept4(*listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) clients_[++last_client_].socket = std::move(socket);
  }

  void hear_client(std::uint64_t number) {
    Client& client = clients_[number];
    std::array<char, 16384> some{};
    const ssize_t count = recv(*client.socket, some.data(), some.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
      clients_.erase(number);
      return;
    }
    if (count > 0) client.lines.add(some.data(), static_cast<std::size_t>(count));
    while (const auto line = client.lines.next()) {
      const Json request = Json::parse(*line, nullptr, false);
      if (!request.is_object()) continue;
      if (request.contains("status")) {
        answer_client(number, {{"ready", ready_}});
        continue;
      }
      Json body = request.value("body", Json::object());
      if (!body.is_object()) continue;
      body["msg_id"] = ++last_message_;
      asked_[last_message_] = {number, request.value("id", Json())};
      log("client", body);
      give_node({{"src", fmt::format("c{}", number)}, {"dest", name()}, {"body", body}});
    }
  }

  void answer_client(std::uint64_t number, const Json& answer) {
    const auto client = clients_.find(number);
    if (client == clients_.end()) return;
    const std::string line = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    (void)!send(*client->second.socket, line.data(), line.size(), MSG_NOSIGNAL);
  }

  void hear_peers() {
    std::array<char, 65536> datagram{};
    ssize_t count = 0;
    while ((count = recv(*datagrams_, datagram.data(), datagram.size(), 0)) > 0) {
      const std::string_view text(datagram.data(), static_cast<std::size_t>(count));
      const Json message = Json::parse(text, nullptr, false);
      if (!message.is_object()) continue;
      log("received", message);
      give_node(message);
    }
  }

  bool hear_node() {
    std::array<char, 16384> some{};
    const ssize_t count = ::read(*from_node_, some.data(), some.size());
    if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
    if (count > 0) said_.add(some.data(), static_cast<std::size_t>(count));
    while (const auto line = said_.next()) {
      const Json message = Json::parse(*line, nullptr, false);
      const Json to = message.is_object() ? message.value("dest", Json()) : Json();
      if (to.is_string()) deliver(to.get<std::string>(), message, *line);
      else std::fprintf(stderr, "maelstrom host: no message: %.200s\n", line->c_str());
    }
    return true;
  }

  void deliver(const std::string& to, const Json& message, const std::string& line) {
    if (to.starts_with("c")) return answer(message.value("body", Json::object()));
    const std::size_t number = std::strtoul(to.c_str() + 1, nullptr, 10);
    log(line.size() <= kDatagramMax ? "sent" : "dropped, over 60000 bytes", message);
    if (to.starts_with("n") && number >= 1 && number <= options_.nodes.size()) {
      const Endpoint& peer = options_.nodes[number - 1];
      const sockaddr_in address = address_of(peer, peer_port(peer));
      if (line.size() <= kDatagramMax)
        sendto(*datagrams_, line.data(), line.size(), 0,
               reinterpret_cast<const sockaddr*>(&address), sizeof address);
      return;
    }
    const Json body = message.value("body", Json());
    const Json asked = body.is_object() ? body.value("msg_id", Json()) : Json();
    // The services that Maelstrom itself offers (lin-kv and so on) are none of ours.
    give_node({{"src", to},
               {"dest", name()},
               {"body",
                {{"type", "error"},
                 {"code", 10},
                 {"text", "there is no such service"},
                 {"in_reply_to", asked}}}});
  }

  void answer(const Json& body) {
    const Json to = body.is_object() ? body.value("in_reply_to", Json()) : Json();
    if (!to.is_number_unsigned()) return;
    if (to == 0) ready_ = body.value("type", Json()) == "init_ok";
    if (to == 0 && ready_ && options_.serves == "broadcast") tell_topology();
    const auto asked = asked_.find(to.get<std::uint64_t>());
    if (asked == asked_.end()) return;
    log("answer", body);
    answer_client(asked->second.client, {{"id", asked->second.id}, {"body", body}});
    asked_.erase(asked);
  }

  /// Never waits: a node that writes before it reads would wait for us.
  void give_node(const Json& message) {
    if (to_say_.size() > kBacklogMax) return log("dropped", message);
    to_say_ += message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    tell_node();
  }

  void tell_node() {
    while (!to_say_.empty()) {
      const ssize_t count = ::write(*to_node_, to_say_.data(), to_say_.size());
      if (count <= 0) return;
      to_say_.erase(0, static_cast<std::size_t>(count));
    }
  }

  void log(const char* what, const Json& message) const {
    const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::printf("%lld %s %s\n", static_cast<long long>(monotonic_now()), what, text.c_str());
    std::fflush(stdout);
  }

  const MaelstromHost& options_;
  Descriptor datagrams_, listener_, to_node_, from_node_;
  Lines said_;
  std::string to_say_;
  std::map<std::uint64_t, Client> clients_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t last_client_ = 0;
  std::uint64_t last_message_ = 0;
  bool ready_ = false;
};

}  // namespace

int run_maelstrom_host(const MaelstromHost& host) { return Host(host).run(); }

}  // namespace consistory
