#include "harness/maelstrom/message_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "checkers/history/json_input.h"

namespace consistory {
namespace {

// Of each log: what a node prints is not trusted.
constexpr std::size_t kMessagesMax = 200'000;
constexpr std::uintmax_t kBytesMax = std::uintmax_t{256} << 20;

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
  logged.message = parse_untrusted(line.substr(brace + 1));
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
    std::error_code missing;
    if (std::filesystem::file_size(path, missing) > kBytesMax || missing) return;
    std::ifstream log(path);
    std::size_t count = 0;
    for (std::string line; count < kMessagesMax && std::getline(log, line);) {
      const std::optional<Logged> logged = parse(line);
      if (!logged) continue;
      ++count;
      take(node, *logged);
    }
  }

  std::vector<Message> finish() {
    std::stable_sort(receipts_.begin(), receipts_.end(),
                     [](const Receipt& a, const Receipt& b) { return a.time < b.time; });
    for (const Receipt& receipt : receipts_) take_receipt(receipt);
    std::erase_if(messages_, [](const Message& message) { return message.sent_ns < 0; });
    std::stable_sort(messages_.begin(), messages_.end(),
                     [](const Message& a, const Message& b) { return a.sent_ns < b.sent_ns; });
    return std::move(messages_);
  }

 private:
  struct Receipt {
    Nanos time = 0;
    std::string name;  // of the message, as `sent_` has it
  };
  /// Messages of one sender, receiver and body.
  struct Sent {
    std::vector<std::size_t> open;  // not received, in order
    std::vector<std::size_t> all;
  };

  static std::string name_of(const std::string& from, const std::string& to,
                             const std::string& body) {
    return from + ">" + to + " " + body;
  }

  void take(const std::string& node, const Logged& logged) {
    const Nanos time = logged.time - origin_;
    const Json from = logged.message.value("src", Json()),
               to = logged.message.value("dest", Json());
    const std::string body = text_of(logged.message.value("body", Json()));
    if (logged.what == "client") {
      messages_.push_back({time, time, "clients", node, text_of(logged.message)});
    } else if (logged.what == "answer") {
      messages_.push_back({time, time, node, "clients", text_of(logged.message)});
    } else if (logged.what == "received") {
      if (from.is_string())
        receipts_.push_back({time, name_of(from.get<std::string>(), node, body)});
    } else if (to.is_string()) {
      Sent& sent = sent_[name_of(node, to.get<std::string>(), body)];
      sent.open.push_back(messages_.size());
      sent.all.push_back(messages_.size());
      messages_.push_back({time, -1, node, to.get<std::string>(), body});
    }
  }

  /// Of messages that cannot be told apart the last that was sent before: the ones before it may be
  /// lost, and then would be taken for it for ever. One that has been received already came twice.
  void take_receipt(const Receipt& receipt) {
    const auto found = sent_.find(receipt.name);
    if (found == sent_.end()) return;
    const auto last_before = [&](const std::vector<std::size_t>& places) {
      const auto after = std::partition_point(places.begin(), places.end(), [&](std::size_t place) {
        return messages_[place].sent_ns <= receipt.time;
      });
      return after == places.begin() ? places.end() : std::prev(after);
    };
    std::vector<std::size_t>& open = found->second.open;
    if (const auto place = last_before(open); place != open.end()) {
      messages_[*place].received_ns = receipt.time;
      open.erase(place);
    } else if (const auto again = last_before(found->second.all);
               again != found->second.all.end()) {
      Message copy = messages_[*again];
      copy.received_ns = receipt.time;
      messages_.push_back(std::move(copy));
    }
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
  return collector.finish();
}

}  // namespace consistory
