// The report about transactions: one offline page, as results/report.cpp is for runs.
#include <fmt/format.h>

#include <map>

#include "results/html.h"
#include "results/other_verdicts.h"
#include "results/serialisation_graph.h"

namespace consistory {
namespace {

constexpr std::size_t kReasonsShown = 3;

void header(Html& html, const std::string& source, const TransactionHistory& history,
            const TransactionJudgement& judgement) {
  std::string weakest;
  bool open = false;
  for (const LevelVerdict& level : judgement.levels) {
    if (level.verdict == Verdict::violated) weakest = info_of(level.level).name;
    open = open || level.verdict == Verdict::inconclusive;
  }
  const std::string_view word = !weakest.empty() ? "violated" : open ? "inconclusive" : "holds";
  html.raw("<header><h1 class=\"").raw(word).raw("\">").raw(sign_of(word)).raw(" ");
  if (!weakest.empty()) html.text(weakest + " is violated");
  else
    html.text(open ? "not every isolation level could be decided"
                   : "no isolation level is violated");
  html.raw("</h1>");
  html.element(
      "p", fmt::format("{}: {} transactions of {} sessions on {} keys", source,
                       history.transactions.size(), history.sessions.size(), history.keys.size()));
  html.raw("</header>\n");
}

std::string anomalies_of(const LevelVerdict& level) {
  std::map<std::string, std::size_t> counts;
  for (const TransactionAnomaly& anomaly : level.anomalies) ++counts[anomaly.name];
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", name, count);
  return text;
}

void levels(Html& html, const TransactionJudgement& judgement) {
  html.raw(
      "<section id=\"levels\"><h2>Isolation levels</h2><div class=\"scroll\"><table><thead><tr>"
      "<th>level</th><th>verdict</th><th>what it promises</th><th>anomalies found, or why it is "
      "open</th></tr></thead><tbody>");
  for (const LevelVerdict& level : judgement.levels) {
    const std::string_view word = name_of(level.verdict);
    html.raw("<tr>").element("th scope=\"row\"", info_of(level.level).name);
    html.raw("<td class=\"").raw(word).raw("\">").raw(sign_of(word)).raw(" ").text(word);
    html.raw("</td>").element("td", info_of(level.level).promise);
    html.element("td", level.why.empty() ? anomalies_of(level) : level.why).raw("</tr>");
  }
  html.raw("</tbody></table></div></section>\n");
}

void violation(Html& html, const LevelVerdict& level) {
  const TransactionWitness& witness = *level.witness;
  html.raw("<article>").element("h3", info_of(level.level).name);
  html.element("p", "It forbids these transactions by themselves:");
  html.raw("<ul>");
  for (TransactionId id = 0; id < witness.history.transactions.size(); ++id)
    html.element("li", fmt::format("{} · T{} of the history", describe(witness.history, id),
                                   witness.original[id]));
  html.raw("</ul>");
  std::size_t shown = 0;
  for (const TransactionAnomaly& anomaly : witness.anomalies) {
    if (shown++ == kReasonsShown) break;
    html.raw(serialisation_graph_svg(anomaly));
    html.element("p", anomaly.name + ": " + anomaly.text + ".");
  }
  html.element("p class=\"how\"", witness_remark(witness) + ".");
  html.raw("</article>\n");
}

/// Of a level for which no witness was found.
void anomalies(Html& html, const LevelVerdict& level) {
  html.raw("<article>").element("h3", info_of(level.level).name);
  std::size_t shown = 0;
  for (const TransactionAnomaly& anomaly : level.anomalies) {
    if (shown++ == kReasonsShown) break;
    html.raw(serialisation_graph_svg(anomaly));
    html.element("p", anomaly.name + ": " + anomaly.text + ".");
  }
  html.element("p class=\"how\"", "No smaller part of the history was found to show it.");
  html.raw("</article>\n");
}

void violations(Html& html, const TransactionJudgement& judgement) {
  html.raw("<section id=\"violations\"><h2>Violations</h2>");
  html.element("p class=\"how\"",
               "wr: reads what the other wrote; ww: overwrites it; rw: reads what the other "
               "overwrites (Adya 1999). The weakest level first.");
  for (auto level = judgement.levels.rbegin(); level != judgement.levels.rend(); ++level) {
    if (level->witness) violation(html, *level);
    else if (level->verdict == Verdict::violated) anomalies(html, *level);
  }
  html.raw("</section>\n");
}

}  // namespace

void transaction_sections(Html& html, const TransactionJudgement& judgement) {
  levels(html, judgement);
  violations(html, judgement);
}

std::string transactions_html(const std::string& source, const TransactionHistory& history,
                              const TransactionJudgement& judgement) {
  Html html;
  header(html, source, history, judgement);
  transaction_sections(html, judgement);
  return html_page("Consistory: " + source, html.take());
}

}  // namespace consistory
