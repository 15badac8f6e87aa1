#include "harness/cli/run_options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>

#include "base/suggest.h"

namespace consistory {
namespace {

void add_promises(CLI::App& app, RunArguments& arguments) {
  const char* group = "What is promised";
  app.add_option("-m,--model", arguments.models, "Models to judge (default: all)")
      ->delimiter(',')
      ->group(group);
  app.add_option("--require", arguments.require,
                 "Models, or sets a+b, whose violation fails the run, beside "
                 "what the store claims")
      ->delimiter(',')
      ->group(group);
  app.add_option("--expect-violation", arguments.expect_violation,
                 "Models that must be found violated, or the run fails")
      ->delimiter(',')
      ->group(group);
  app.add_option("--check-steps", arguments.check_steps, "Budget of each search, in steps")
      ->capture_default_str()
      ->group(group);
  app.add_option("--check-timeout", arguments.check_timeout,
                 "Time to judge the history in; what is then open is inconclusive")
      ->group(group);
  app.add_option("--check-memory", arguments.check_memory,
                 "Memory to use while judging, as in 500M; what does not fit is inconclusive")
      ->group(group);
  app.add_flag("!--no-check", arguments.check, "Record only")->group(group);
}

void add_load(CLI::App& app, RunArguments& arguments) {
  const char* group = "Load";
  app.add_option("-w,--workload", arguments.workloads,
                 "Workloads (default: all that the store can do)")
      ->delimiter(',')
      ->group(group);
  app.add_option("-n,--nodes", arguments.nodes, "Nodes")->capture_default_str()->group(group);
  app.add_option("-c,--concurrency", arguments.concurrency, "Sessions")
      ->capture_default_str()
      ->group(group);
  app.add_option("--rate", arguments.rate, "Operations a second over all sessions; 0: unlimited")
      ->capture_default_str()
      ->group(group);
  app.add_option("-d,--duration", arguments.duration, "How long the load lasts, with a unit")
      ->capture_default_str()
      ->group(group);
  app.add_option("--keys", arguments.keys, "Keys in use at any one time, per workload")
      ->capture_default_str()
      ->group(group);
  app.add_option("--read-ratio", arguments.read_ratio, "Share of reads")
      ->capture_default_str()
      ->group(group);
  app.add_option("--sessions", arguments.sessions, "moving between nodes, or pinned to one")
      ->capture_default_str()
      ->group(group);
  app.add_option("--op-timeout", arguments.op_timeout,
                 "After which an operation's outcome is unknown")
      ->capture_default_str()
      ->group(group);
  app.add_option("--settle", arguments.settle,
                 "How long to wait before the final reads of a store that cannot tell when it has "
                 "settled")
      ->capture_default_str()
      ->group(group);
  app.add_option("--seed", arguments.seed, "Seed of every random choice, or random")
      ->capture_default_str()
      ->group(group);
}

void add_faults(CLI::App& app, RunArguments& arguments) {
  const char* group = "Faults";
  app.add_option("-f,--fault", arguments.faults,
                 "Faults, as kind, kind:variant, kind@n1+n2 or partition@n1|n2+n3; all; none "
                 "(consistory list faults)")
      ->delimiter(',')
      ->capture_default_str()
      ->group(group);
  app.add_option("--fault-every", arguments.fault_every,
                 "From one fault's start to the next (default: fitted)")
      ->group(group);
  app.add_option("--fault-for", arguments.fault_for, "How long a fault lasts (default: fitted)")
      ->group(group);
  app.add_option("--schedule", arguments.schedule,
                 "A TOML file that says which fault strikes when, in place of --fault")
      ->check(CLI::ExistingFile)
      ->group(group);
  app.add_option("--ground", arguments.ground,
                 "Where nodes run: sandbox (each in a network namespace of its own), relay (on "
                 "127.0.0.1), ssh (--host) or auto (the sandbox where a fault needs it)")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--pcap", arguments.pcap,
               "Write every packet between nodes to network.pcap, for Wireshark (sandbox)")
      ->group(group);
  app.add_flag_callback(
         "--no-faults", [&arguments] { arguments.faults = {"none"}; }, "The same as --fault none")
      ->group(group);
}

/// "--session" as words: its values and its fallback.
std::string help_of(const StoreSetting& setting) {
  std::string help = setting.of.empty() ? setting.help : setting.of + ": " + setting.help;
  const bool names_values = !setting.values.empty() && setting.values.size() < 8;
  if (names_values && setting.kind != StoreSetting::Kind::flag)
    help += ", " + join(setting.values, " | ");
  if (!setting.fallback.empty() && setting.kind != StoreSetting::Kind::flag)
    help += fmt::format(" (default: {})", setting.fallback);
  return help;
}

/// Each setting of each store is a flag of its own; stores may share one, with values of their own.
void add_settings(CLI::App& app, RunArguments& arguments) {
  std::map<std::string, std::vector<StoreSetting>> flags;
  for (const StoreKind& store : all_stores()) {
    for (StoreSetting setting : store.settings()) {
      if (setting.of.empty() && store.name == "ref") setting.of = "ref";
      flags[setting.name].push_back(std::move(setting));
    }
  }
  for (const auto& [name, settings] : flags) {
    const std::string flag = (name.size() == 1 ? "-" : "--") + name;
    std::vector<std::string> help;
    for (const StoreSetting& setting : settings) help.push_back(help_of(setting));
    const auto set = [&arguments, name = name](const std::string& value) {
      arguments.store_settings.emplace_back(name, value);
    };
    if (settings.front().kind == StoreSetting::Kind::flag)
      app.add_flag_callback(
             flag, [set] { set("on"); }, join(help, "; "))
          ->group("Store");
    else app.add_option_function<std::string>(flag, set, join(help, "; "))->group("Store");
  }
}

void add_store(CLI::App& app, RunArguments& arguments) {
  const char* group = "Store";
  app.add_option("store", arguments.store, "The store on trial (consistory list stores)")
      ->capture_default_str()
      ->group(group);
  add_settings(app, arguments);
  app.add_option("--endpoint", arguments.endpoints,
                 "host:port of a node that runs already, once for each; nothing is started then")
      ->group(group);
  app.add_option("--host", arguments.hosts,
                 "Where the node of that --endpoint runs, as ssh takes it: faults strike there")
      ->group(group);
  app.add_option("--restart", arguments.restart,
                 "The shell command that starts a node on its host (default: as it was started)")
      ->group(group);
  app.add_flag("--yes-write", arguments.yes_write,
               "Write to endpoints that are not of this machine")
      ->group(group);
  app.add_flag("--keep-keys", arguments.keep_keys, "Leave the run's keys at the endpoints")
      ->group(group);
  app.add_option("--port-base", arguments.port_base, "First port of the nodes (default: free ones)")
      ->group(group);
}

}  // namespace

void add_run_options(CLI::App& app, RunArguments& arguments) {
  add_store(app, arguments);
  add_promises(app, arguments);
  add_load(app, arguments);
  add_faults(app, arguments);
  app.add_option("-o,--out", arguments.out,
                 "The folder that holds the runs (default: $CONSISTORY_RESULTS or results/runs)")
      ->group("Output");
}

}  // namespace consistory
