#include "harness/stores/reference_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/suggest.h"
#include "harness/stores/defects.h"

namespace consistory {
namespace {

std::optional<Error> check_quorum(const ReferenceSettings& settings, int nodes) {
  const int r = *as_number(settings.at("R")), w = *as_number(settings.at("W"));
  if (settings.at("protocol") != "quorum") return std::nullopt;
  if (r < 1 || w < 1 || r > nodes || w > nodes) {
    return usage_error(
        fmt::format("R={} and W={} must lie between 1 and the {} nodes", r, w, nodes));
  }
  if (settings.at("unsafe-quorum") == "on" || (r + w > nodes && 2 * w > nodes)) return std::nullopt;
  return usage_error(
      fmt::format("R={} W={} of {} nodes: R+W must exceed N and 2W must exceed N, or reads "
                  "miss writes; --unsafe-quorum allows it",
                  r, w, nodes));
}

bool lazy_primary(const ReferenceSettings& settings) {
  return settings.at("protocol") == "primary" && settings.at("primary") == "single" &&
         settings.at("propagation") == "async" && settings.at("read-from") == "local";
}

std::optional<Error> check_together(const ReferenceSettings& settings) {
  if (settings.at("protocol") == "local-writes" && settings.at("propagation") == "majority")
    return usage_error("protocol local-writes propagates sync or async");
  const bool can_session = settings.at("protocol") == "eventual" || lazy_primary(settings);
  if (!settings.at("session").empty() && !can_session) {
    return usage_error(
        "--session is a layer over --protocol eventual, or over --protocol primary with "
        "--propagation async --read-from local");
  }
  return std::nullopt;
}

/// A setting of another protocol would be ignored in silence: that is a mistake, not a wish.
std::optional<Error> check_protocol(const StoreSettings& given, const ReferenceSettings& settings) {
  const std::string& protocol = settings.at("protocol");
  for (const auto& [name, value] : given) {
    for (const StoreSetting& setting : reference_store_settings()) {
      if (name != setting.name || setting.of.empty()) continue;
      const auto words = parts_of(setting.of);
      if (std::find(words.begin(), words.end(), protocol) != words.end()) continue;
      return usage_error(fmt::format("--{} is a setting of protocol {}, and the protocol is {}",
                                     name, setting.of, protocol));
    }
  }
  return std::nullopt;
}

}  // namespace

const std::vector<StoreSetting>& reference_store_settings() {
  using Kind = StoreSetting::Kind;
  static const std::vector<StoreSetting> table = {
      {"protocol",
       "primary",
       {"primary", "local-writes", "quorum", "eventual", "causal", "raft"},
       Kind::choice,
       "",
       "how updates are replicated"},
      {"primary",
       "single",
       {"single", "per-key"},
       Kind::choice,
       "primary",
       "one primary for all keys, or one for each"},
      {"propagation",
       "sync",
       {"sync", "majority", "async"},
       Kind::choice,
       "primary,local-writes",
       "who holds an update before it is answered"},
      {"read-from", "primary", {"primary", "local"}, Kind::choice, "primary", "who answers reads"},
      {"R", "", {}, Kind::number, "quorum", "answers that a read waits for (default: a majority)"},
      {"W",
       "",
       {},
       Kind::number,
       "quorum",
       "acknowledgements that a write waits for (default: a majority)"},
      {"unsafe-quorum", "off", {"off", "on"}, Kind::flag, "quorum", "allow R+W<=N or 2W<=N"},
      {"read-write-back",
       "off",
       {"off", "on"},
       Kind::choice,
       "quorum",
       "a read stores what it found before it answers"},
      {"lazy-delay",
       "100",
       {},
       Kind::number,
       "eventual,local-writes",
       "mean delay of propagation, in ms"},
      {"lww",
       "lamport",
       {"lamport", "wall"},
       Kind::choice,
       "eventual",
       "the clock by which the last writer wins"},
      {"conflicts",
       "converge",
       {"converge", "arrival"},
       Kind::choice,
       "causal",
       "of concurrent writes the last by Lamport time wins, or the last to arrive"},
      {"token",
       "on",
       {"on", "off"},
       Kind::choice,
       "causal,eventual,primary",
       "clients show what they have seen"},
      {"session",
       "",
       {"mr", "mw", "ryw", "wfr"},
       Kind::several,
       "eventual,primary",
       "session guarantees, with commas between"},
      {"reads",
       "index",
       {"log", "index", "lease", "local"},
       Kind::choice,
       "raft",
       "how a read knows that it is not stale"},
      {"snapshot-every", "1000", {}, Kind::number, "raft", "entries until the log is cut"},
      {"link-delay", "0", {}, Kind::number, "", "mean delay of what goes from node to node, in ms"},
      {"ver", "on", {"on", "off"}, Kind::choice, "", "answers show versions"},
      {"fsync",
       "always",
       {"always", "interval", "never"},
       Kind::choice,
       "",
       "when the log is made durable"},
      {"disk",
       "real",
       {"real", "volatile"},
       Kind::choice,
       "",
       "volatile: unsynced bytes die with the process"},
      {"defect", "", defect_names(), Kind::choice, "", "plants a bug (consistory list defects)"},
  };
  return table;
}

Result<ReferenceSettings> complete_reference_settings(const StoreSettings& given,
                                                      std::size_t nodes) {
  ReferenceSettings settings;
  for (const StoreSetting& setting : reference_store_settings())
    settings[setting.name] = setting.fallback;
  settings["R"] = settings["W"] = std::to_string(nodes / 2 + 1);
  const Status known = check_settings("ref", given, reference_store_settings());
  if (!known) return known.error();
  for (const auto& [name, value] : given) settings[name] = value;
  if (auto error = check_protocol(given, settings)) return *error;
  if (auto error = check_quorum(settings, static_cast<int>(nodes))) return *error;
  if (auto error = check_together(settings)) return *error;
  return settings;
}

std::string describe(const ReferenceSettings& settings) {
  const auto at = [&](const char* name) -> const std::string& { return settings.at(name); };
  const std::string& protocol = at("protocol");
  std::string text = protocol;
  if (protocol == "primary") {
    text = at("primary") == "single" ? "primary" : "primary per key";
    text += fmt::format(", {} propagation, {} reads", at("propagation"), at("read-from"));
  } else if (protocol == "local-writes") {
    text += fmt::format(", {} propagation", at("propagation"));
  } else if (protocol == "quorum") {
    text += fmt::format(", R={} W={}{}", at("R"), at("W"),
                        at("read-write-back") == "on" ? ", read write-back" : "");
  } else if (protocol == "eventual") {
    text += fmt::format(", last writer by {} clock", at("lww"));
  } else if (protocol == "causal") {
    text += fmt::format(", {}, {} tokens",
                        at("conflicts") == "converge" ? "last writer wins" : "order of arrival",
                        at("token") == "on" ? "with" : "without");
  } else {
    text += fmt::format(", reads by {}", at("reads"));
  }
  if (!at("session").empty()) text += ", session " + at("session");
  if (at("fsync") != "always") text += ", fsync " + at("fsync");
  if (!at("defect").empty()) text += ", with the defect " + at("defect");
  return text;
}

}  // namespace consistory
