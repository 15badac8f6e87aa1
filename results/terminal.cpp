#include "results/terminal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "base/suggest.h"

namespace consistory {
namespace {

constexpr std::size_t kWitnessesShown = 3;

std::string upper(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string paint(std::string_view text, std::string_view word, const TerminalStyle& style) {
  if (!style.colour) return std::string(text);
  const char* code = word == "holds" ? "34" : word == "violated" ? "31" : "33";
  return fmt::format("\x1b[1;{}m{}\x1b[0m", code, text);
}

std::string seconds(Nanos time) {
  return time < 0 ? "(no answer)" : fmt::format("{:.3f} s", static_cast<double>(time) / kSecond);
}

std::string names_with(const RunRecord& run, Verdict verdict) {
  std::vector<std::string> names;
  for (const JudgedModel& judged : run.judgement.models) {
    if (judged.verdict.verdict == verdict) names.emplace_back(judged.model->name);
  }
  return join(names, ", ");
}

/// Text wrapped to 80 columns, later lines indented like the first.
std::string wrapped(const std::string& label, const std::string& raw) {
  const std::string text = escape_terminal(raw);  // what is escaped already stays as it is
  std::string out = label;
  std::size_t column = label.size();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (column + end - at > 79 && column > label.size()) {
      out += "\n" + std::string(label.size(), ' ');
      column = label.size();
    }
    out += text.substr(at, end - at);
    column += end - at;
    if (end < text.size()) out += ' ', ++column;
    at = end + 1;
  }
  return out + "\n";
}

std::string witness_text(const JudgedModel& judged, bool required) {
  const Witness& witness = *judged.witness;
  std::string out =
      wrapped(fmt::format("{}{}: ", judged.model->name, required ? " (promised)" : ""),
              headline(witness, *judged.model));
  for (OperationId id = 0; id < witness.history.size(); ++id) {
    const Operation& operation = witness.history.operations[id];
    out += fmt::format("  {}  {}  {} … {}\n", letter(id), describe(witness.history, operation),
                       seconds(operation.invoke_ns), seconds(operation.complete_ns));
  }
  for (const std::string& reason : reasons(witness)) out += wrapped("  - ", reason);
  return out;
}

/// Violations worth the room: the weakest broken models first, required ones before others.
std::string witnesses_text(const RunRecord& run) {
  std::vector<const JudgedModel*> shown;
  for (const JudgedModel& judged : run.judgement.models) {
    const auto& frontier = run.overall.frontier;
    const bool weakest =
        std::find(frontier.begin(), frontier.end(), judged.model->name) != frontier.end();
    if (judged.witness && weakest) shown.push_back(&judged);
  }
  std::stable_partition(shown.begin(), shown.end(), [&](const JudgedModel* judged) {
    return run.required.contains(std::string(judged->model->name));
  });
  std::string out;
  for (std::size_t i = 0; i < std::min(shown.size(), kWitnessesShown); ++i) {
    out +=
        witness_text(*shown[i], run.required.contains(std::string(shown[i]->model->name))) + "\n";
  }
  if (shown.size() > kWitnessesShown) {
    out += fmt::format("and {} more in the report\n\n", shown.size() - kWitnessesShown);
  }
  return out;
}

std::string anomalies_text(const RunRecord& run) {
  std::vector<std::string> groups;
  for (const AnomalyGroup& group : run.anomalies)
    groups.push_back(fmt::format("{} {} ({} keys, {} sessions)", group.count,
                                 name_of(group.anomaly), group.keys, group.sessions));
  return groups.empty() ? "" : wrapped("anomalies: ", join(groups, ", "));
}

std::string tested_text(const RunRecord& run) {
  const Counts& counts = run.pressure.counts;
  const auto observed =
      std::count_if(run.faults.begin(), run.faults.end(),
                    [](const FaultRecord& fault) { return !fault.evidence.empty(); });
  return wrapped(
      "tested: ",
      fmt::format("{} operations ({} ok, {} fail, {} unknown), {} of {} faults observed, "
                  "{} contended keys, {:.1f} % ok outside faults",
                  counts.total(), counts.ok, counts.fail, counts.info, observed, run.faults.size(),
                  counts.contended_keys, 100 * run.availability.ok_share_outside_faults));
}

std::string models_text(const RunRecord& run) {
  std::string out;
  for (const Verdict verdict :
       {Verdict::violated, Verdict::holds, Verdict::inconclusive, Verdict::not_checked}) {
    const std::string names = names_with(run, verdict);
    if (!names.empty())
      out += wrapped(fmt::format("{:<14}", fmt::format("{}:", name_of(verdict))), names);
  }
  for (const JudgedModel& judged : run.judgement.models) {
    const bool open = judged.verdict.verdict == Verdict::inconclusive ||
                      judged.verdict.verdict == Verdict::not_checked;
    if (open) out += wrapped(fmt::format("  {}: ", judged.model->name), judged.verdict.why);
  }
  std::vector<std::string> sets;
  for (const GuaranteeSet set : run.judgement.violated_sets) {
    if (std::popcount(set) > 1) sets.push_back(name_of(set));
  }
  if (!sets.empty()) out += wrapped("violated sets: ", join(sets, ", "));
  return out;
}

}  // namespace

std::string terminal_text(const RunRecord& run, const std::string& report,
                          const TerminalStyle& style) {
  const std::string_view word = name_of(run.overall.word);
  std::string out = fmt::format("{}  {}\n", paint(upper(word), word, style),
                                escape_terminal(run.overall.sentence));
  if (!run.failure.empty()) out += wrapped("store: ", run.failure);
  out += "\n" + witnesses_text(run) + models_text(run) + anomalies_text(run) + tested_text(run);
  if (run.staleness.reads > 0) out += wrapped("lag:    ", staleness_text(run.staleness));
  if (run.agreement.pairs > 0) out += wrapped("nodes:  ", agreement_text(run.agreement));
  for (const std::string& gap : run.pressure.missing) out += wrapped("missing: ", gap);
  for (const std::string& left : run.left_out) out += wrapped("left out: ", left);
  for (const std::string& note : run.recording.notes) out += wrapped("note: ", note);
  if (run.availability.acknowledged_updates_missing > 0) {
    out += fmt::format("{} acknowledged updates are missing at the end\n",
                       run.availability.acknowledged_updates_missing);
  }
  if (!report.empty()) out += fmt::format("report: {}\n", report);
  if (!run.command.empty()) out += fmt::format("rerun:  {}\n", escape_terminal(run.command));
  return out;
}

}  // namespace consistory
