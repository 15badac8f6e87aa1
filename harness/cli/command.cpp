#include "harness/cli/command.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/escape.h"

namespace consistory {
namespace {

constexpr std::array<CommandSpec, 10> kCommands = {{
    {"run", "run a store under faults, check its history, write a report",
     "  consistory run\n"
     "  consistory run --protocol eventual --require read-your-writes -d 10s --seed 7\n"
     "  consistory run --protocol quorum -R 1 -W 1 --unsafe-quorum "
     "--expect-violation monotonic-reads\n",
     define_run},
    {"campaign", "run every combination of configurations, workloads, faults and seeds of a file",
     "  consistory campaign examples/smoke.toml\n", define_campaign},
    {"check", "check recorded histories (history.jsonl, litmus cases; - is standard input)",
     "  consistory check results/runs/latest/history.jsonl\n"
     "  consistory check --batch cases.jsonl --json\n"
     "  consistory check history.jsonl -m causal,read-your-writes\n",
     define_check},
    {"convert", "turn a recorded history into another form, of ours or of other projects",
     "  consistory convert history.jsonl history.bin --to binary\n"
     "  consistory convert history.jsonl history.edn --to edn\n"
     "  consistory convert history.jsonl r0.log --to jepsen-log --key r0\n",
     define_convert},
    {"selftest",
     "put the harness on trial: every cell of the reference store's truth table, every bug",
     "  consistory selftest --quick\n"
     "  consistory selftest --only raft --seeds 5\n"
     "  consistory selftest -o results/selftest\n",
     define_selftest},
    {"report", "judge a run again and write its report anew",
     "  consistory report results/runs/latest\n", define_report},
    {"list", "list models, faults, workloads, stores, protocols and defects",
     "  consistory list models\n", define_list},
    {"adapter", "scaffold and check what speaks to a store of your own",
     "  consistory adapter new --lang python\n"
     "  consistory adapter check --store store.toml\n"
     "  consistory adapter check --adapter 'python3 client.py' --endpoint 127.0.0.1:8001\n",
     define_adapter},
    {"explain", "explain a consistency model, with a smallest history that breaks it",
     "  consistory explain causal\n  consistory explain read-your-writes+monotonic-writes\n",
     define_explain},
    {"doctor", "tell which grounds and faults this machine can do, how, and with what evidence",
     "  consistory doctor\n  consistory doctor --json\n", define_doctor},
}};

}  // namespace

std::span<const CommandSpec> all_commands() { return kCommands; }

int fail(const Error& error) {
  std::fprintf(stderr, "error: %s\n", escape_terminal(error.message).c_str());
  switch (error.kind) {
    case ErrorKind::usage:
      return 64;
    case ErrorKind::environment:
      return 69;
    case ErrorKind::store:
      return 3;
    case ErrorKind::internal:
      return 70;
  }
  return 70;
}

bool stdout_takes_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return isatty(STDOUT_FILENO) == 1 && !dumb && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace consistory
