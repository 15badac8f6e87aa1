#include "results/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/duration.h"
#include "results/html.h"
#include "results/run_sections.h"
#include "results/space_time.h"

namespace consistory {
namespace {

/// One cell: sign, word and, where it holds vacuously, that too.
void verdict_cell(Html& html, const RunRecord& run, const JudgedModel& judged) {
  const std::string_view word = name_of(judged.verdict.verdict);
  html.raw("<td class=\"").raw(word).raw("\">").raw(sign_of(word)).raw(" ").text(word);
  if (judged.verdict.verdict == Verdict::holds && !run.pressure.missing.empty())
    html.raw(" (vacuously)");
  html.raw("</td>");
}

void models(Html& html, const RunRecord& run) {
  html.raw(
      "<section id=\"models\"><h2>Models</h2><p class=\"how\">What this history satisfies. A model "
      "marked "
      "required fails the run when it is violated. The last column judges each (session, node) "
      "pair as a "
      "session of its own: broken there too means that moving between nodes is not the cause.</p>"
      "<div class=\"scroll\"><table><thead><tr><th>model</th><th>verdict</th><th>required</th>"
      "<th>sessions split by node</th><th>why</th></tr></thead><tbody>");
  for (const JudgedModel& judged : run.judgement.models) {
    const std::string name(judged.model->name);
    html.raw("<tr>").element("th scope=\"row\"", name);
    verdict_cell(html, run, judged);
    html.element("td", run.required.contains(name) ? "required" : "");
    html.element("td", judged.split ? name_of(*judged.split) : "");
    const std::string why =
        judged.witness ? headline(*judged.witness, *judged.model) : judged.verdict.why;
    html.element("td", why).raw("</tr>");
  }
  html.raw("</tbody></table></div>");
  if (!run.judgement.violated_sets.empty()) {
    std::vector<std::string> names;
    for (const GuaranteeSet set : run.judgement.violated_sets) names.push_back(name_of(set));
    html.element("p",
                 fmt::format("Smallest sets of session guarantees that this history violates: {}.",
                             fmt::join(names, ", ")));
  }
  html.raw("</section>\n");
}

void violation(Html& html, const RunRecord& run, const JudgedModel& judged) {
  const Witness& witness = *judged.witness;
  html.raw("<article>").element("h3", judged.model->name);
  html.element("p", headline(witness, *judged.model) + ".");
  html.raw(space_time_svg(witness, run.faults));
  html.raw("<ol type=\"a\">");
  for (const Operation& operation : witness.history.operations) {
    html.element("li", fmt::format("{} · {} … {}", describe(witness.history, operation),
                                   seconds(operation.invoke_ns), seconds(operation.complete_ns)));
  }
  html.raw("</ol><ul>");
  for (const std::string& reason : reasons(witness)) html.element("li", reason);
  html.raw("</ul>");
  html.element("p class=\"how\"",
               witness.minimal ? "Minimal: without any one of these operations the rest is allowed."
                               : "The search for a smaller witness used up its budget.");
  html.element("p class=\"how\"", recheck_text(witness));
  html.raw("</article>\n");
}

/// Required models first, then the weakest broken ones, then what they imply.
std::vector<const JudgedModel*> violations_in_order(const RunRecord& run) {
  std::vector<const JudgedModel*> all;
  for (const JudgedModel& judged : run.judgement.models) {
    if (judged.witness) all.push_back(&judged);
  }
  const auto rank = [&](const JudgedModel* judged) {
    const std::string name(judged->model->name);
    const auto& frontier = run.overall.frontier;
    const bool weakest = std::find(frontier.begin(), frontier.end(), name) != frontier.end();
    return (run.required.contains(name) ? 0 : 2) + (weakest ? 0 : 1);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const JudgedModel* a, const JudgedModel* b) { return rank(a) < rank(b); });
  return all;
}

void violations(Html& html, const RunRecord& run) {
  const std::vector<const JudgedModel*> all = violations_in_order(run);
  if (all.empty()) return;
  html.raw(
      "<section id=\"violations\"><h2>Violations</h2><p class=\"how\">Each shows the operations "
      "that refute the model, by session and by real time (warped: every end of an operation takes "
      "one step), the nodes they asked, and the reasoning step by step.</p>");
  for (const JudgedModel* judged : all) violation(html, run, *judged);
  html.raw("</section>\n");
}

void anomalies(Html& html, const RunRecord& run) {
  if (run.anomalies.empty()) return;
  html.raw(
      "<section id=\"anomalies\"><h2>Anomalies</h2><p class=\"how\">All that went wrong, by class; "
      "each with the first of its kind.</p><div class=\"scroll\"><table><thead><tr><th>class</th>"
      "<th>times</th><th>keys</th><th>sessions</th><th>first at</th><th>what such an operation did"
      "</th><th>the first</th></tr></thead><tbody>");
  for (const AnomalyGroup& group : run.anomalies) {
    html.raw("<tr>").element("th scope=\"row\"", name_of(group.anomaly));
    for (const std::size_t number : {group.count, group.keys, group.sessions})
      html.element("td", fmt::format("{}", number));
    html.element("td", seconds(group.first_ns)).element("td", meaning_of(group.anomaly));
    html.raw("<td><ul>");
    for (const OperationId id : group.example)
      html.element("li", describe(run.history(), run.history().operations[id]));
    html.raw("</ul></td></tr>");
  }
  html.raw("</tbody></table></div></section>\n");
}

void confidence(Html& html, const RunRecord& run) {
  const Counts& counts = run.pressure.counts;
  html.raw("<section id=\"confidence\"><h2>How hard it was tested</h2><table>");
  row(html, "operations",
      fmt::format("{} ok, {} fail, {} unknown", counts.ok, counts.fail, counts.info));
  row(html, "contended keys", fmt::format("{}", counts.contended_keys));
  row(html, "ok outside faults",
      fmt::format("{:.1f} % of {}", 100 * run.availability.ok_share_outside_faults,
                  run.availability.operations_outside_faults));
  row(html, "lag of register reads", staleness_text(run.staleness));
  row(html, "agreement of the nodes", agreement_text(run.agreement));
  row(html, "acknowledged updates missing at the end",
      fmt::format("{}", run.availability.acknowledged_updates_missing));
  row(html, "settled before the final reads", run.history().settled ? "yes" : "no");
  html.raw("</table>");
  for (const std::string& gap : run.pressure.missing)
    html.element("p class=\"inconclusive\"", "Missing: " + gap + ".");
  for (const std::string& left : run.left_out) html.element("p", "Left out: " + left + ".");
  for (const std::string& note : run.recording.notes) html.element("p", note);
  html.raw(
      "<h3>Nodes</h3><table><thead><tr><th>node</th><th>ok</th><th>fail</th><th>unknown</th>"
      "<th>longest gap between ok answers</th></tr></thead><tbody>");
  for (const NodeAvailability& node : run.availability.nodes) {
    html.raw("<tr>")
        .element("th scope=\"row\"", node.node)
        .element("td", fmt::format("{}", node.counts.ok));
    html.element("td", fmt::format("{}", node.counts.fail))
        .element("td", fmt::format("{}", node.counts.info));
    html.element("td", format_duration(node.longest_gap_ns)).raw("</tr>");
  }
  html.raw("</tbody></table></section>\n");
}

/// Those around the first counterexample; without one those that came first.
std::vector<Message> messages_to_draw(const RunRecord& run) {
  const std::vector<const JudgedModel*> violated = violations_in_order(run);
  if (violated.empty()) return messages_around(run.messages, 0, -1);
  Nanos from = INT64_MAX, to = 0;
  for (const Operation& operation : violated.front()->witness->history.operations) {
    from = std::min(from, operation.invoke_ns);
    to = std::max({to, operation.invoke_ns, operation.complete_ns});
  }
  return messages_around(run.messages, from, to);
}

void messages(Html& html, const RunRecord& run) {
  if (run.messages.empty()) return;
  const std::vector<Message> drawn = messages_to_draw(run);
  const bool around = !violations_in_order(run).empty();
  html.raw("<section id=\"messages\"><h2>Messages</h2><p class=\"how\">")
      .text(fmt::format(
          "{} of {}, {}; all are in messages.jsonl. An arrow that ends in a cross never "
          "came.",
          drawn.size(), run.messages.size(),
          around ? "up to the end of the first counterexample" : "from the beginning of the load"))
      .raw("</p>")
      .raw(message_diagram_svg(drawn))
      .raw("</section>\n");
}

}  // namespace

std::string report_html(const RunRecord& run) {
  Html html;
  header_section(html, run);
  models(html, run);
  violations(html, run);
  anomalies(html, run);
  confidence(html, run);
  faults_section(html, run);
  messages(html, run);
  return html_page(fmt::format("{}: {}", name_of(run.overall.word), run.store), html.take());
}

}  // namespace consistory
