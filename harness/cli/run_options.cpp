#include "harness/cli/run_options.h"

#include <CLI/CLI.hpp>

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
  app.add_option("--seed", arguments.seed, "Seed of every random choice, or random")
      ->capture_default_str()
      ->group(group);
}

void add_faults(CLI::App& app, RunArguments& arguments) {
  const char* group = "Faults";
  app.add_option("-f,--fault", arguments.faults,
                 "Faults, as kind or kind:variant, or none (consistory list faults)")
      ->delimiter(',')
      ->capture_default_str()
      ->group(group);
  app.add_option("--fault-every", arguments.fault_every,
                 "From one fault's start to the next (default: fitted)")
      ->group(group);
  app.add_option("--fault-for", arguments.fault_for, "How long a fault lasts (default: fitted)")
      ->group(group);
  app.add_flag_callback(
         "--no-faults", [&arguments] { arguments.faults = {"none"}; }, "The same as --fault none")
      ->group(group);
}

/// Each setting of the reference store is a flag of its own.
void add_store(CLI::App& app, RunArguments& arguments) {
  const char* group = "Store";
  app.add_option("store", arguments.store, "The store on trial (consistory list stores)")
      ->capture_default_str()
      ->group(group);
  const auto setting = [&](const std::string& flag, const std::string& name,
                           const std::string& help) {
    app.add_option_function<std::string>(
           flag,
           [&arguments, name](const std::string& value) {
             arguments.store_settings.emplace_back(name, value);
           },
           help)
        ->group(group);
  };
  setting("--protocol", "protocol", "primary | quorum | eventual | causal (default: primary)");
  setting("--propagation", "propagation", "primary: sync | async (default: sync)");
  setting("--read-from", "read-from", "primary: primary | local (default: primary)");
  setting("-R", "R", "quorum: answers that a read waits for (default: a majority)");
  setting("-W", "W", "quorum: acknowledgements that a write waits for (default: a majority)");
  app.add_flag_callback(
         "--unsafe-quorum",
         [&arguments] { arguments.store_settings.emplace_back("unsafe-quorum", "on"); },
         "quorum: allow R+W<=N or 2W<=N")
      ->group(group);
  setting("--conflicts", "conflicts",
          "causal: concurrent writes, converge (last writer wins) | arrival (default: converge)");
  setting("--token", "token", "causal: clients show what they have seen, on | off (default: on)");
  setting("--lazy-delay", "lazy-delay", "eventual: mean delay of propagation in ms (default: 100)");
  setting("--disk", "disk", "real | volatile: unsynced bytes die with the process (default: real)");
  setting("--fsync", "fsync", "on | off (default: on)");
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
