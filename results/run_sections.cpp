#include "results/run_sections.h"

#include <fmt/format.h>

namespace consistory {
std::string seconds(Nanos time) {
  return time < 0 ? "–" : fmt::format("{:.3f} s", static_cast<double>(time) / kSecond);
}

void row(Html& html, std::string_view name, std::string_view value) {
  html.raw("<tr>").element("th scope=\"row\"", name).element("td", value).raw("</tr>");
}

void header_section(Html& html, const RunRecord& run) {
  const std::string_view word = name_of(run.overall.word);
  html.raw("<header><h1 class=\"")
      .raw(word)
      .raw("\">")
      .raw(sign_of(word))
      .raw(" ")
      .text(run.overall.sentence)
      .raw("</h1>");
  html.raw("<table>");
  row(html, "store", run.store);
  row(html, "load and faults", run.arguments);
  row(html, "run", fmt::format("{} ({})", run.id, run.status));
  row(html, "seed", fmt::format("{}", run.seed));
  if (!run.failure.empty()) row(html, "failure", run.failure);
  html.raw("</table>");
  if (!run.command.empty()) html.raw("<p>Run it again:</p>").element("pre", run.command);
  html.raw("</header>\n");
}

void faults_section(Html& html, const RunRecord& run) {
  if (run.faults.empty()) return;
  html.raw(
      "<section id=\"faults\"><h2>Faults</h2><p class=\"how\">A fault counts only with evidence "
      "that it bit."
      "</p><div "
      "class=\"scroll\"><table><thead><tr><th>fault</th><th>what</th><th>requested</"
      "th><th>confirmed</th>"
      "<th>healed</th><th>answers again after</th><th>evidence</th></tr></thead><tbody>");
  for (std::size_t i = 0; i < run.faults.size(); ++i) {
    const FaultRecord& fault = run.faults[i];
    const Nanos recovery =
        i < run.availability.recovery_ns.size() ? run.availability.recovery_ns[i] : -1;
    html.raw("<tr>").element("th scope=\"row\"", fault.name).element("td", fault.what);
    html.element("td", seconds(fault.requested_ns)).element("td", seconds(fault.confirmed_ns));
    html.element("td", seconds(fault.healed_ns)).element("td", seconds(recovery));
    std::string evidence = fault.evidence.empty() ? "none" : fault.evidence;
    if (!fault.recovery.empty()) evidence += "; healed: " + fault.recovery;
    html.element("td", evidence).raw("</tr>");
  }
  html.raw("</tbody></table></div></section>\n");
}

}  // namespace consistory
