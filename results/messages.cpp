#include "results/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/escape.h"

namespace consistory {
namespace {

constexpr std::size_t kDrawnMax = 120;
constexpr double kLeft = 90;
constexpr double kLane = 200;
constexpr double kTop = 34;
constexpr double kStep = 18;
constexpr std::size_t kLabelBytes = 34;

/// `"type":"write"…`: the type first, then the rest, without quotes.
std::string label_of(const std::string& body) {
  using Json = nlohmann::ordered_json;
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return body;
  const Json type = json.value("type", Json());
  std::string label = type.is_string() ? type.get<std::string>() : "?";
  for (const auto& [name, value] : json.items()) {
    if (name == "type" || name == "msg_id" || name == "in_reply_to") continue;
    label +=
        fmt::format(" {}={}", name,
                    value.is_string() ? value.get<std::string>()
                                      : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return label;
}

std::string shown(std::string_view text, std::size_t bytes) {
  return escape_html(shorten(escape_terminal(text), bytes));
}

class Diagram {
 public:
  explicit Diagram(const std::vector<Message>& messages) : messages_(messages) {
    for (const Message& message : messages) {
      lanes_.try_emplace(message.from);
      lanes_.try_emplace(message.to);
      ticks_.insert(message.sent_ns);
      if (message.received_ns >= 0) ticks_.insert(message.received_ns);
    }
    double x = kLeft + kLane / 2;
    for (auto& [name, at] : lanes_) {
      at = x;
      x += kLane;
    }
    for (const Nanos tick : ticks_)
      y_.emplace(tick, kTop + kStep * static_cast<double>(y_.size() + 1));
    width_ = kLeft + kLane * static_cast<double>(lanes_.size());
    height_ = kTop + kStep * static_cast<double>(ticks_.size() + 2);
  }

  std::string draw() {
    out_ = fmt::format(
        "<div class=\"scroll\"><svg role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\">"
        "<title>Messages between places, time downwards</title><defs><marker id=\"head\" "
        "viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" class=\"soft\"/></marker></defs>",
        width_, height_);
    for (const auto& [name, x] : lanes_) {
      line(x, kTop, x, height_ - kStep, "lane", "");
      text(x, kTop - 10, name, "middle");
    }
    for (const Nanos tick : ticks_) {
      const std::string time = fmt::format("{:.4f} s", static_cast<double>(tick) / kSecond);
      text(4, y_.at(tick) + 4, time, "start", "soft");
    }
    for (const Message& message : messages_) draw_message(message);
    return out_ + "</svg></div>\n";
  }

 private:
  void text(double x, double y, std::string_view words, std::string_view anchor,
            std::string_view css = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>",
                        x, y, anchor, css, shown(words, kLabelBytes));
  }
  void line(double x1, double y1, double x2, double y2, std::string_view css,
            std::string_view extra) {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\" {}/>", x1, y1,
        x2, y2, css, extra);
  }

  void draw_message(const Message& message) {
    const bool came = message.received_ns >= 0;
    const double x1 = lanes_.at(message.from), y1 = y_.at(message.sent_ns);
    const double x2 = came ? lanes_.at(message.to) : (x1 + lanes_.at(message.to)) / 2;
    const double y2 = came ? y_.at(message.received_ns) : y1 + kStep / 2;
    out_ += fmt::format("<g><title>{}</title>",
                        shown(fmt::format("{} to {}{}: {}", message.from, message.to,
                                          came ? "" : ", never came", message.body),
                              600));
    line(x1, y1, x2, y2, came ? "arrow" : "arrow lost", came ? "marker-end=\"url(#head)\"" : "");
    if (!came) text(x2, y2 + 4, "✕", "middle", "bad");
    const bool right = x2 >= x1;
    text(x1 + (right ? 6 : -6), y1 - 3, label_of(message.body), right ? "start" : "end");
    out_ += "</g>";
  }

  const std::vector<Message>& messages_;
  std::map<std::string, double> lanes_;
  std::set<Nanos> ticks_;
  std::map<Nanos, double> y_;
  double width_ = 0, height_ = 0;
  std::string out_;
};

}  // namespace

std::string messages_jsonl(const std::vector<Message>& messages) {
  std::string lines;
  for (const Message& message : messages) {
    using Json = nlohmann::ordered_json;
    const Json json{{"sent_ns", message.sent_ns},
                    {"received_ns", message.received_ns < 0 ? Json() : Json(message.received_ns)},
                    {"from", message.from},
                    {"to", message.to},
                    {"body", message.body}};
    lines += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

std::vector<Message> messages_around(const std::vector<Message>& messages, Nanos from, Nanos to) {
  std::vector<Message> chosen;
  for (const Message& message : messages) {
    const Nanos last = std::max(message.sent_ns, message.received_ns);
    if (to < 0 || (last >= from && message.sent_ns <= to)) chosen.push_back(message);
  }
  if (chosen.size() <= kDrawnMax) return chosen;
  const auto excess = static_cast<std::ptrdiff_t>(chosen.size() - kDrawnMax);
  if (to < 0) chosen.erase(chosen.end() - excess, chosen.end());
  else chosen.erase(chosen.begin(), chosen.begin() + excess);  // what came last before the end
  return chosen;
}

std::string message_diagram_svg(const std::vector<Message>& messages) {
  return messages.empty() ? std::string() : Diagram(messages).draw();
}

}  // namespace consistory
