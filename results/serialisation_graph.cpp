#include "results/serialisation_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/escape.h"

namespace consistory {
namespace {

constexpr double kRadius = 110;
constexpr double kMiddle = 190;
constexpr double kNode = 26;  // from a transaction's middle to where its arrows end
constexpr std::size_t kLabelMax = 24;

using Node = std::optional<TransactionId>;

struct Point2 {
  double x = 0, y = 0;
};

std::string node_name(const Node& node) { return node ? fmt::format("T{}", *node) : "initial"; }

class Drawing {
 public:
  explicit Drawing(const TransactionAnomaly& anomaly) : anomaly_(anomaly) {
    for (const TransactionAnomaly::Arrow& arrow : anomaly.arrows) {
      for (const Node& node : {arrow.from, arrow.to}) {
        if (std::find(nodes_.begin(), nodes_.end(), node) == nodes_.end()) nodes_.push_back(node);
      }
    }
  }

  std::string svg() const {
    std::string text = fmt::format(
        "<svg viewBox=\"0 0 {0} {0}\" width=\"{0}\" height=\"{0}\" role=\"img\" aria-label=\"{1}\">"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>",
        2 * kMiddle, escape_html(anomaly_.text));
    for (const TransactionAnomaly::Arrow& arrow : anomaly_.arrows) text += arrow_svg(arrow);
    for (const Node& node : nodes_) {
      const Point2 at = place(node);
      text += fmt::format(
          "<rect class=\"box\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"52\" height=\"24\" rx=\"5\"/>"
          "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>",
          at.x - 26, at.y - 12, at.x, at.y + 4, node_name(node));
    }
    return text + "</svg>";
  }

 private:
  Point2 place(const Node& node) const {
    const auto at = std::find(nodes_.begin(), nodes_.end(), node) - nodes_.begin();
    const double angle =
        2 * std::numbers::pi * static_cast<double>(at) / static_cast<double>(nodes_.size()) -
        std::numbers::pi / 2;
    return {kMiddle + kRadius * std::cos(angle), kMiddle + kRadius * std::sin(angle)};
  }

  /// Bent to its left, so that two that run against each other stay apart.
  std::string arrow_svg(const TransactionAnomaly::Arrow& arrow) const {
    if (arrow.from == arrow.to) return {};
    const Point2 a = place(arrow.from);
    const Point2 b = place(arrow.to);
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const Point2 along = {(b.x - a.x) / length, (b.y - a.y) / length};
    const Point2 bend = {(a.x + b.x) / 2 + along.y * 36, (a.y + b.y) / 2 - along.x * 36};
    const auto toward_bend = [&](const Point2& from) {
      const double distance = std::hypot(bend.x - from.x, bend.y - from.y);
      return Point2{from.x + (bend.x - from.x) * kNode / distance,
                    from.y + (bend.y - from.y) * kNode / distance};
    };
    const Point2 begin = toward_bend(a);
    const Point2 end = toward_bend(b);
    return fmt::format(
        "<path class=\"why\" marker-end=\"url(#tip)\" d=\"M{:.0f} {:.0f}Q{:.0f} {:.0f} {:.0f} "
        "{:.0f}\"/><text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>",
        begin.x, begin.y, bend.x, bend.y, end.x, end.y, bend.x, bend.y,
        escape_html(shorten(escape_terminal(arrow.why), kLabelMax)));
  }

  const TransactionAnomaly& anomaly_;
  std::vector<Node> nodes_;
};

}  // namespace

std::string serialisation_graph_svg(const TransactionAnomaly& anomaly) {
  return anomaly.arrows.empty() ? std::string() : Drawing(anomaly).svg();
}

}  // namespace consistory
