#include "harness/maelstrom/message_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMessagesMax = 1'000'000;

/// One line of a host's log: "1234 received {…}".
struct Logged {
  Nanos time = 0;
  std::string what;
  Json message;
};

std::optional<Logged> parse(const std::string& line) {
  Logged logged;
  const char* end = line.data() + line.size();
  const auto [after, status] = std::from_chars(line.data(), end, logged.time);
  const std::size_t brace = line.find(" {");
  if (status != std::errc{} || after == end || *after != ' ' || brace == std::string::npos)
    return std::nullopt;
  const auto begin = static_cast<std::size_t>(after - line.data()) + 1;
  if (brace < begin) return std::nullopt;
  logged.what = line.substr(begin, brace - begin);
  logged.message = Json::parse(line.begin() + static_cast<std::ptrdiff_t>(brace) + 1, line.end(),
                               nullptr, false);
  if (!logged.message.is_object()) return std::nullopt;
  return logged;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Collector {
 public:
  explicit Collector(Nanos origin) : origin_(origin) {}

  /// Sends and what passes between the node and its clients; receipts wait for all sends.
  void read(const std::string& path, const std::string& node) {
    std::ifstream log(path);
    for (std::string line; std::getline(log, line) && messages_.size() < kMessagesMax;) {
      std::optional<Logged> logged = parse(line);
      if (!logged || logged->time < origin_) continue;
      const Nanos time = logged->time - origin_;
      if (logged->what == "client")
        messages_.push_back({time, time, "clients", node, text_of(logged->message)});
      else if (logged->what == "answer")
        messages_.push_back({time, time, node, "clients", text_of(logged->message)});
      else if (logged->what == "received") receipts_.push_back({time, node, *logged});
      else take_sent(time, node, *logged);
    }
  }

  std::vector<Message> take() {
    std::stable_sort(receipts_.begin(), receipts_.end(),
                     [](const Receipt& a, const Receipt& b) { return a.time < b.time; });
    for (const Receipt& receipt : receipts_) take_receipt(receipt);
    std::stable_sort(messages_.begin(), messages_.end(),
                     [](const Message& a, const Message& b) { return a.sent_ns < b.sent_ns; });
    return std::move(messages_);
  }

 private:
  struct Receipt {
    Nanos time = 0;
    std::string node;
    Logged logged;
  };
  struct Sent {
    std::deque<std::size_t> open;  // not received yet, in order
    std::size_t last = 0;
  };

  static std::string body_of(const Json& message) { return text_of(message.value("body", Json())); }

  void take_sent(Nanos time, const std::string& node, const Logged& logged) {
    const Json to = logged.message.value("dest", Json());
    if (!to.is_string()) return;
    Message message{time, -1, node, to.get<std::string>(), body_of(logged.message)};
    Sent& sent = sent_[node + ">" + message.to + " " + message.body];
    sent.open.push_back(messages_.size());
    messages_.push_back(std::move(message));
  }

  void take_receipt(const Receipt& receipt) {
    const Json from = receipt.logged.message.value("src", Json());
    if (!from.is_string()) return;
    const auto found = sent_.find(from.get<std::string>() + ">" + receipt.node + " " +
                                  body_of(receipt.logged.message));
    if (found == sent_.end()) return;  // sent before the load
    Sent& sent = found->second;
    if (sent.open.empty()) {
      Message again = messages_[sent.last];
      again.received_ns = receipt.time;
      messages_.push_back(std::move(again));
      return;
    }
    sent.last = sent.open.front();
    sent.open.pop_front();
    messages_[sent.last].received_ns = receipt.time;
  }

  Nanos origin_;
  std::vector<Message> messages_;
  std::vector<Receipt> receipts_;
  std::map<std::string, Sent> sent_;
};

}  // namespace

std::vector<Message> read_message_logs(const std::vector<std::string>& paths, Nanos origin) {
  Collector collector(origin);
  for (std::size_t i = 0; i < paths.size(); ++i)
    collector.read(paths[i], fmt::format("n{}", i + 1));
  return collector.take();
}

}  // namespace consistory
