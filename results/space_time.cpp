#include "results/space_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/escape.h"

namespace consistory {
namespace {

constexpr double kLabelWidth = 110;
constexpr double kStep = 124;
constexpr double kBoxWidthMin = 112;
constexpr double kLane = 62;
constexpr double kBoxHeight = 38;
constexpr std::size_t kTextBytes = 30;

class Diagram {
 public:
  Diagram(const Witness& witness, const std::vector<FaultRecord>& faults)
      : history_(witness.history), witness_(witness), faults_(faults) {
    for (const Operation& operation : history_.operations) {
      add_lane(sessions_, operation.session);
      if (operation.node != kNoNode) add_lane(nodes_, operation.node);
      ticks_.insert(operation.invoke_ns);
      if (operation.complete_ns >= 0) ticks_.insert(operation.complete_ns);
    }
    width_ = kLabelWidth + kStep * static_cast<double>(ticks_.size() + 1);
    node_top_ = 30 + kLane * static_cast<double>(sessions_.size());
    height_ = node_top_ + 34 * static_cast<double>(nodes_.size()) + 34;
  }

  std::string draw() {
    out_ = fmt::format(
        "<div class=\"scroll\"><svg role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\">"
        "<title>The operations of this witness by session, node and time</title>",
        width_, height_);
    out_ +=
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" class=\"soft\"/></marker></defs>";
    draw_lanes();
    for (const FaultRecord& fault : faults_) draw_band(fault);
    for (OperationId id = 0; id < history_.size(); ++id) draw_operation(id);
    draw_reads_from();
    draw_axis();
    return out_ + "</svg></div>\n";
  }

 private:
  template <class Id>
  static void add_lane(std::map<Id, std::size_t>& lanes, Id id) {
    const std::size_t next = lanes.size();
    lanes.try_emplace(id, next);
  }

  /// Warped time: whole ticks, and evenly between two of them.
  double x(Nanos time) const {
    const auto after = ticks_.lower_bound(time);
    const auto index = static_cast<double>(std::distance(ticks_.begin(), after));
    if (after == ticks_.end()) return kLabelWidth + kStep * index;
    if (*after == time || after == ticks_.begin())
      return kLabelWidth + kStep * (index + (*after == time ? 0.5 : 0));
    const Nanos before = *std::prev(after);
    const double part = static_cast<double>(time - before) / static_cast<double>(*after - before);
    return kLabelWidth + kStep * (index - 0.5 + part);
  }
  double session_y(SessionId session) const {
    return 30 + kLane * static_cast<double>(sessions_.at(session));
  }
  double node_y(NodeId node) const {
    return node_top_ + 34 * static_cast<double>(nodes_.at(node)) + 12;
  }

  void text(double at_x, double at_y, std::string_view raw, std::string_view css = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>", at_x, at_y, css,
                        escape_html(shorten(escape_terminal(raw), kTextBytes)));
  }
  void line(double x1, double y1, double x2, double y2, std::string_view css,
            std::string_view extra = "") {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\" {}/>", x1, y1,
        x2, y2, css, extra);
  }

  void draw_lanes() {
    for (const auto& [session, lane] : sessions_) {
      text(4, session_y(session) + 24, "session " + history_.sessions[session]);
      line(kLabelWidth, session_y(session) + 19, width_, session_y(session) + 19, "lane");
    }
    for (const auto& [node, lane] : nodes_) {
      text(4, node_y(node) + 4, "node " + history_.nodes[node]);
      line(kLabelWidth, node_y(node), width_, node_y(node), "lane");
    }
  }

  void draw_band(const FaultRecord& fault) {
    const Nanos last = *ticks_.rbegin();
    const Nanos healed = fault.healed_ns < 0 ? last : fault.healed_ns;
    if (fault.requested_ns > last || healed < *ticks_.begin()) return;
    for (const auto& [node, lane] : nodes_) {
      const auto& names = fault.targets;
      if (std::find(names.begin(), names.end(), history_.nodes[node]) == names.end()) continue;
      const double from = std::max(x(fault.requested_ns), kLabelWidth);
      const double to = std::max(x(healed), from + 4);
      out_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"22\" "
          "class=\"band\"><title>{}</title></rect>",
          from, node_y(node) - 11, to - from, escape_html(fault.name + ": " + fault.what));
      text(from + 3, node_y(node) + 4, fault.name);
    }
  }

  bool in_cycle(OperationId id) const {
    return std::any_of(
        witness_.proof.cycle.begin(), witness_.proof.cycle.end(),
        [&](const ProofStep& step) { return step.from == id && step.because != id; });
  }

  void draw_operation(OperationId id) {
    const Operation& operation = history_.operations[id];
    const double left = x(operation.invoke_ns);
    const double right = operation.complete_ns < 0
                             ? width_ - 6
                             : std::max(x(operation.complete_ns), left + kBoxWidthMin);
    const double top = session_y(operation.session);
    const char* css = operation.is_info()                 ? "box info"
                      : operation.reads() && in_cycle(id) ? "box bad"
                                                          : "box";
    out_ += fmt::format(
        "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
        "rx=\"4\" class=\"{}\"/>",
        escape_html(operation_text(history_, operation)), left, top, right - left, kBoxHeight, css);
    const std::string key = history_.keys[operation.key];
    text(left + 5, top + 15,
         fmt::format("{}: {} {}", letter(id), name_of(operation.function), key));
    text(left + 5, top + 31,
         (operation.reads() ? "→ " : "= ") + value_text(history_, operation) +
             (operation.is_info() ? " ?" : ""));
    out_ += "</g>";
    if (operation.node == kNoNode) return;
    line(left, top + kBoxHeight, left, node_y(operation.node), "lane", "stroke-dasharray=\"2 4\"");
    out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" class=\"soft\"/>", left,
                        node_y(operation.node));
  }

  void arrow(OperationId from, OperationId to) {
    const Operation& a = history_.operations[from];
    const Operation& b = history_.operations[to];
    if (a.session == b.session) return;
    const double down = session_y(b.session) > session_y(a.session) ? 1 : 0;
    const double right = a.complete_ns < 0
                             ? x(a.invoke_ns) + 40
                             : std::max(x(a.complete_ns), x(a.invoke_ns) + kBoxWidthMin);
    line(right, session_y(a.session) + down * kBoxHeight, x(b.invoke_ns) + 12,
         session_y(b.session) + (1 - down) * kBoxHeight, "arrow", "marker-end=\"url(#tip)\"");
  }

  /// From the writer of each value to its readers, where the writer is unique.
  void draw_reads_from() {
    std::map<std::pair<KeyId, ValueId>, std::vector<OperationId>> writers;
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = history_.operations[id];
      if (operation.updates()) writers[{operation.key, operation.value}].push_back(id);
    }
    const auto connect = [&](OperationId reader, ValueId value) {
      const auto found = writers.find({history_.operations[reader].key, value});
      if (found != writers.end() && found->second.size() == 1) arrow(found->second[0], reader);
    };
    for (OperationId id = 0; id < history_.size(); ++id) {
      const Operation& operation = history_.operations[id];
      if (operation.function != Function::read) continue;
      if (!history_.is_list[operation.key] && operation.value != kNil) connect(id, operation.value);
      for (const ValueId element : history_.elements_of(operation)) connect(id, element);
    }
  }

  void draw_axis() {
    const double y = height_ - 8;
    line(kLabelWidth, y - 16, width_, y - 16, "lane");
    text(4, y, "time in s", "soft");
    for (const Nanos tick : ticks_) {
      text(x(tick) - 20, y, fmt::format("{:.3f}", static_cast<double>(tick) / kSecond), "soft");
      line(x(tick), y - 19, x(tick), y - 13, "lane");
    }
  }

  const History& history_;
  const Witness& witness_;
  const std::vector<FaultRecord>& faults_;
  std::map<SessionId, std::size_t> sessions_;
  std::map<NodeId, std::size_t> nodes_;
  std::set<Nanos> ticks_;
  double width_ = 0, height_ = 0, node_top_ = 0;
  std::string out_;
};

}  // namespace

std::string space_time_svg(const Witness& witness, const std::vector<FaultRecord>& faults) {
  constexpr std::size_t kDrawnMax = 60;
  if (witness.history.size() == 0 || witness.history.size() > kDrawnMax) return {};
  return Diagram(witness, faults).draw();
}

}  // namespace consistory
