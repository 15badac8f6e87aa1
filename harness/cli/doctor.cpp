// consistory doctor: what this machine can do: which grounds there are, and for each fault the
// mechanism that would be used, the evidence it gives, and what would make more possible.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

#include "harness/cli/command.h"
#include "harness/clocks/process_clock.h"
#include "harness/disks/faulty_disk.h"
#include "harness/sandbox/enter.h"
#include "harness/stores/installed.h"
#include "nemesis/fault.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

/// How a kind of fault is done; empty: not at all.
struct Mechanism {
  std::string relay, sandbox, ssh;
  std::string why_not = "";  ///< it is not possible in the sandbox
};

Mechanism mechanism_of(const FaultKind& kind) {
  if (kind.name == "partition")
    return {"the relay in the controller holds the bytes of a cut direction back",
            "the switch in the controller drops the packets of a cut direction",
            "nft drops the packets of a cut direction at the host where they arrive"};
  switch (kind.needs) {
    case Needs::shaped_links:
      return {"", "the switch in the controller draws the fate of every packet from the seed",
              "nft drops packets at the host where they arrive: only loss and narrow"};
    case Needs::movable_clocks:
      if (can_move_clocks())
        return {"the node's clock functions (vdso) are led to code of ours", "the same", ""};
      return {"the store reads an offset file, if it has one", "the same", ""};
    case Needs::own_disks:
      if (const Status can = can_mount_disks(); !can) return {"", "", "", can.error().message};
      return {"", "each node's data lies on a file system of ours (FUSE)", ""};
    case Needs::nothing:
      break;
  }
  return {"signals to the node's process group", "the same",
          "signals to the process that listens, and to all that came from it"};
}

Json diagnosis() {
  const Status sandbox = probe_sandbox();
  Json grounds = Json::array();
  grounds.push_back({{"ground", "relay"}, {"works", true}, {"why", ""}});
  grounds.push_back({{"ground", "sandbox"},
                     {"works", static_cast<bool>(sandbox)},
                     {"why", sandbox ? std::string() : sandbox.error().message}});
  const bool ssh = !find_program("ssh").empty();
  grounds.push_back({{"ground", "ssh"},
                     {"works", ssh},
                     {"why", ssh ? "" : "ssh is missing: apt-get install openssh-client"}});
  Json faults = Json::array();
  for (const FaultKind& kind : all_faults()) {
    const Mechanism mechanism = mechanism_of(kind);
    const bool works = (sandbox && !mechanism.sandbox.empty()) || !mechanism.relay.empty();
    faults.push_back({{"fault", kind.name},
                      {"works", works},
                      {"on_relay", mechanism.relay},
                      {"in_sandbox", sandbox ? mechanism.sandbox : std::string()},
                      {"over_ssh", ssh ? mechanism.ssh : std::string()},
                      {"evidence", kind.evidence},
                      {"why_not", mechanism.why_not}});
  }
  return {{"grounds", std::move(grounds)}, {"faults", std::move(faults)}};
}

std::string text_of(const Json& diagnosis) {
  std::string text = "grounds\n";
  for (const Json& row : diagnosis["grounds"]) {
    const std::string why = row["why"];
    text += fmt::format("  {:<10} {}{}\n", row["ground"].get<std::string>(),
                        row["works"].get<bool>() ? "works" : "does not work",
                        why.empty() ? "" : ": " + why);
    if (!why.empty() && row["ground"] == "sandbox")
      text +=
          "             it takes user namespaces (sysctl kernel.unprivileged_userns_clone=1, or "
          "root)\n             and ip (apt-get install iproute2)\n";
  }
  text += "faults\n";
  for (const Json& row : diagnosis["faults"]) {
    const auto line = [&](const char* what, const std::string& words) {
      text += fmt::format("             {:<9} {}\n", what, words.empty() ? "not possible" : words);
    };
    text += fmt::format("  {:<10} {}\n", row["fault"].get<std::string>(),
                        row["works"].get<bool>() ? "works" : "does not work here");
    line("relay", row["on_relay"]);
    line("sandbox", row["in_sandbox"]);
    line("ssh", row["over_ssh"]);
    line("evidence", row["evidence"]);
    if (row["why_not"] != "") line("because", row["why_not"]);
  }
  return text;
}

}  // namespace

std::function<int()> define_doctor(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print JSON");
  return [json] {
    const Json found = diagnosis();
    const std::string text = *json ? found.dump(1) + "\n" : text_of(found);
    std::fputs(text.c_str(), stdout);
    return 0;
  };
}

}  // namespace consistory
