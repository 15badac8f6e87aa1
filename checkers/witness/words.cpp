// Proofs in words. Each reason has one row; a user must be able to check every sentence by hand.
#include <fmt/format.h>

#include "base/escape.h"
#include "checkers/witness/witness.h"

namespace consistory {
namespace {

constexpr std::size_t kShownBytesMax = 120;

std::string shown(std::string_view raw) { return shorten(escape_terminal(raw), kShownBytesMax); }

std::string verb_phrase(const History& history, const Operation& operation) {
  const std::string key = shown(history.keys[operation.key]);
  const std::string value = shown(value_text(history, operation));
  switch (operation.function) {
    case Function::write:
      return fmt::format("wrote {} = {}", key, value);
    case Function::append:
    case Function::add:
    case Function::increment:
      return fmt::format("{} {} to {}", history.sets ? "added" : "appended", value, key);
    case Function::remove:
      return fmt::format("deleted {}", key);
    case Function::read:
      return fmt::format("read {} = {}", key, value);
    case Function::cas:
      break;
  }
  const std::string old = shown(to_string(history.values[operation.expected]));
  if (operation.updates()) return fmt::format("swapped {} from {} to {}", key, old, value);
  const std::string saw =
      operation.has_seen() ? ", seeing " + shown(to_string(history.values[operation.seen])) : "";
  return fmt::format("could not swap {} from {}{}", key, old, saw);
}

/// " (4 < 9)", where both operations carry their versions themselves.
std::string versions(const History& history, const ProofStep& step) {
  const Operation& a = history.operations[step.from];
  const Operation& b = history.operations[step.to];
  const bool told = a.has_version() && b.has_version();
  return told ? fmt::format(" ({} < {})", a.version, b.version) : std::string();
}

std::string reason(const History& history, const ProofStep& step) {
  const std::string a = letter(step.from);
  const std::string b = letter(step.to);
  const std::string c = step.because ? letter(*step.because) : "?";
  switch (step.why) {
    case Why::session_order:
      return fmt::format("{} comes before {}: the same session did it first", a, b);
    case Why::real_time:
      return fmt::format("{} comes before {}: it completed before {} was invoked", a, b, b);
    case Why::reads_from:
      return fmt::format("{} comes before {}: {} returned what {} wrote", a, b, b, a);
    case Why::version_order:
      return fmt::format("{} comes before {}: the store gave it the lower version{}", a, b,
                         versions(history, step));
    case Why::list_order:
      return fmt::format("{} comes before {}: the list that {} read shows them so", a, b, c);
    case Why::reads_initial:
      return fmt::format(
          "{} comes before {}: it returned the initial value, so {} was not there yet", a, b, b);
    case Why::list_lacks:
      return fmt::format("{} comes before {}: what it read lacks what {} added", a, b, b);
    case Why::overwritten:
      return fmt::format(
          "{} comes before {}: it comes before {}, which still returned what {} wrote", a, b, c, b);
    case Why::read_before:
      return fmt::format("{} comes before {}: it returned what {} wrote, and {} overwrites that", a,
                         b, c, b);
    case Why::arrived:
      return fmt::format(
          "{} comes before {}: it was made before the final reads, which see all that arrived", a,
          b);
    case Why::visible_earlier:
      return fmt::format("{} comes before {}: {} must see both, and returned what {} wrote", a, b,
                         c, b);
    case Why::swaps_over:
      return fmt::format("{} comes before {}: the swap overwrites what it sees", a, b);
    case Why::own_future:
      return fmt::format("{} comes before {}: its session made {} only later", a, b, b);
    case Why::read_then_updated:
      return fmt::format("{} comes before {}: the session of {} had read it before", a, b, b);
  }
  return {};
}

std::string thin_air_headline(const Witness& witness) {
  if (witness.history.size() == 1) {
    const History& history = witness.history;
    return fmt::format("{}, which no successful or unknown operation wrote",
                       describe(history, history.operations[0]));
  }
  return "no assignment of writers to the values read agrees with what the store reported";
}

/// A read that misses an update of its own session, if the witness is that simple.
std::string own_write_missed(const History& history) {
  if (history.size() < 2) return {};
  const Operation& last = history.operations.back();
  if (last.function != Function::read) return {};
  for (auto at = history.operations.rbegin() + 1; at != history.operations.rend(); ++at) {
    const bool own = at->session == last.session && at->key == last.key && at->updates();
    const bool returned = !history.is_list[last.key] && at->value == last.value;
    if (!own || returned) continue;
    return fmt::format("{}, and its later read of {} returned {}", describe(history, *at),
                       shown(history.keys[last.key]), shown(value_text(history, last)));
  }
  return {};
}

/// The last read, and the one before it from which it went back.
std::string reads_went_back(const History& history) {
  const Operation& last = history.operations.back();
  if (last.function != Function::read) return {};
  const std::string now = value_text(history, last);
  for (auto at = history.operations.rbegin() + 1; at != history.operations.rend(); ++at) {
    const bool same_place = at->session == last.session && at->key == last.key;
    if (!same_place || at->function != Function::read || value_text(history, *at) == now) continue;
    return fmt::format("{}, and then {} = {}: its reads went back", describe(history, *at),
                       shown(history.keys[last.key]), shown(now));
  }
  return {};
}

}  // namespace

std::string_view why_name(Why why) {
  switch (why) {
    case Why::session_order:
      return "session-order";
    case Why::real_time:
      return "real-time";
    case Why::reads_from:
      return "reads-from";
    case Why::version_order:
      return "version-order";
    case Why::list_order:
      return "list-order";
    case Why::reads_initial:
      return "reads-initial";
    case Why::list_lacks:
      return "list-lacks";
    case Why::overwritten:
      return "overwritten";
    case Why::read_before:
      return "read-before";
    case Why::arrived:
      return "arrived";
    case Why::visible_earlier:
      return "visible-earlier";
    case Why::swaps_over:
      return "swaps-over";
    case Why::own_future:
      return "own-future";
    case Why::read_then_updated:
      return "read-then-updated";
  }
  return {};
}

std::string letter(OperationId id) {
  std::string text(1, static_cast<char>('a' + id % 26));
  return id < 26 ? text : letter(id / 26 - 1) + text;
}

std::string describe(const History& history, const Operation& operation) {
  std::string text = fmt::format("session {} {}", shown(history.sessions[operation.session]),
                                 verb_phrase(history, operation));
  if (operation.node != kNoNode) text += " on " + shown(history.nodes[operation.node]);
  if (operation.is_info()) text += " (outcome unknown)";
  return text;
}

std::string headline(const Witness& witness, const Model& model) {
  const History& history = witness.history;
  if (witness.proof.shape == ProofShape::thin_air) return thin_air_headline(witness);
  if (witness.proof.shape == ProofShape::disagree) {
    return fmt::format("{}, but {}", describe(history, history.operations[history.size() - 2]),
                       describe(history, history.operations.back()));
  }
  std::string special;
  if (model.name.starts_with("read-your-writes")) special = own_write_missed(history);
  if (model.name.starts_with("monotonic-reads")) special = reads_went_back(history);
  if (!special.empty()) return special;
  const bool arrived =
      !witness.proof.cycle.empty() && witness.proof.cycle.front().why == Why::arrived;
  if (arrived) {
    const ProofStep& step = witness.proof.cycle.front();
    return fmt::format("{}, and after settling {} misses it",
                       describe(history, history.operations[step.from]), letter(step.to));
  }
  return fmt::format("no order that {} allows explains {} {} operations", model.name,
                     witness.minimal ? "these" : "the", history.size());
}

std::string recheck_text(const Witness& witness) {
  if (witness.recheck == OracleAnswer::violated)
    return "Re-checked by brute force: a second program tried every way to explain them, and none "
           "does.";
  return "Too large for the brute-force re-check; the exact checker alone vouches for it.";
}

std::vector<std::string> reasons(const Witness& witness) {
  std::vector<std::string> lines;
  for (const ProofStep& step : witness.proof.cycle) lines.push_back(reason(witness.history, step));
  if (!lines.empty()) lines.emplace_back("so each of them would come before itself");
  for (const ProofStep& step : witness.proof.support) {
    const std::string line = reason(witness.history, step);
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  if (witness.proof.shape == ProofShape::exhaustion) {
    lines.emplace_back(
        "every possible order of these operations was tried; none explains all reads");
  }
  return lines;
}

}  // namespace consistory
