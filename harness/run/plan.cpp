#include "harness/run/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/limits.h"
#include "base/suggest.h"
#include "harness/clients/login.h"
#include "harness/run/plan_faults.h"
#include "harness/run/problem.h"

namespace consistory {
namespace {

std::uint64_t bytes_of(const std::string& text, std::string_view flag, Problem& problem) {
  if (text.empty()) return 0;
  const Result<std::uint64_t> bytes = parse_bytes(text);
  if (bytes) return *bytes;
  problem.unless(false, fmt::format("{}: {}", flag, bytes.error().message));
  return 0;
}

std::uint64_t seed_of(const std::string& text, Problem& problem) {
  if (text == "random") return draw_seed();
  std::uint64_t seed = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seed);
  const bool fine = status == std::errc{} && end == text.data() + text.size();
  problem.unless(fine,
                 fmt::format("--seed must be a whole number or \"random\", not \"{}\"", text));
  return seed;
}

void check_ranges(const RunArguments& arguments, Problem& problem) {
  problem.unless(arguments.nodes >= 1 && arguments.nodes <= 15,
                 fmt::format("--nodes must lie between 1 and 15, not {}", arguments.nodes));
  problem.unless(
      arguments.concurrency >= 1 && arguments.concurrency <= 1000,
      fmt::format("--concurrency must lie between 1 and 1000, not {}", arguments.concurrency));
  problem.unless(
      arguments.rate >= 0 && arguments.rate <= 1e6,
      fmt::format("--rate must lie between 0 (unlimited) and 1000000, not {}", arguments.rate));
  problem.unless(arguments.keys >= 1 && arguments.keys <= 100'000,
                 fmt::format("--keys must lie between 1 and 100000, not {}", arguments.keys));
  problem.unless(
      arguments.read_ratio >= 0 && arguments.read_ratio <= 1,
      fmt::format("--read-ratio must lie between 0 and 1, not {}", arguments.read_ratio));
  problem.unless(
      arguments.port_base == 0 || (arguments.port_base >= 1024 && arguments.port_base <= 65'000),
      fmt::format("--port-base must lie between 1024 and 65000, not {}", arguments.port_base));
  problem.unless(arguments.sessions == "moving" || arguments.sessions == "pinned",
                 unknown_name("kind of sessions", arguments.sessions, {"moving", "pinned"}));
}

void add_workload(RunPlan& plan, const Workload& workload, bool asked_for, Problem& problem) {
  const bool can = workload.transactions ? plan.store->isolation().has_value()
                                         : plan.store->supports(workload.needs);
  if (can) {
    plan.workloads.push_back(&workload);
    return;
  }
  const std::string why =
      fmt::format("workload {}: this store does not support {}", workload.name,
                  workload.transactions ? "transactions" : name_of(workload.needs));
  plan.left_out.push_back(why);
  problem.unless(!asked_for, why);
}

/// One set takes so much before reading it is all that a run does, one counter even less: additions
/// are spread over the whole run.
void spread_over_one_object(RunPlan& plan) {
  constexpr std::size_t kSetMax = 400, kCounterMax = 26;
  WorkloadOptions& options = plan.workload_options;
  const bool counts = plan.store->supports(Function::increment);
  constexpr double kRateLikely = 5000;  // where it is unlimited
  const double operations = (plan.rate > 0 ? plan.rate : kRateLikely) *
                            static_cast<double>(plan.duration) / static_cast<double>(kSecond);
  options.keys = 1;
  options.one_object = true;
  options.list_length_max = counts ? kCounterMax : kSetMax;
  const double share = static_cast<double>(options.list_length_max) / std::max(operations, 1.0);
  options.read_ratio = std::max(options.read_ratio, 1 - share);
}

/// A store that can do none of the default workloads may do one that has to be asked for.
void offer_another(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  if (!arguments.workloads.empty() || !plan.workloads.empty()) return;
  for (const Workload& workload : all_workloads()) {
    const bool can = workload.transactions ? plan.store->isolation().has_value()
                                           : plan.store->supports(workload.needs);
    const bool fits = workload.transactions || workload.additions();
    if (fits && can && plan.workloads.empty()) add_workload(plan, workload, true, problem);
  }
}

void choose_workloads(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  if (arguments.workloads.empty()) {
    for (const Workload& workload : all_workloads()) {
      if (workload.by_default) add_workload(plan, workload, false, problem);
    }
  }
  for (const std::string& name : arguments.workloads) {
    const Result<const Workload*> workload = find_workload(name);
    problem.take(workload);
    if (workload) add_workload(plan, **workload, true, problem);
  }
  offer_another(arguments, plan, problem);
  const auto additions = std::count_if(plan.workloads.begin(), plan.workloads.end(),
                                       [](const Workload* one) { return one->additions(); });
  const bool mixed = additions > 0 && static_cast<std::size_t>(additions) < plan.workloads.size();
  problem.unless(!mixed, "set and counter are judged by rules of their own: ask for them alone");
}

/// Where the nodes are that others started.
void take_endpoints(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  for (const std::string& text : arguments.endpoints) {
    const Result<Endpoint> endpoint = Endpoint::parse(text);
    problem.take(endpoint);
    if (!endpoint) continue;
    plan.endpoints.push_back(*endpoint);
    problem.unless(
        endpoint->is_loopback() || arguments.yes_write,
        fmt::format("{} is not of this machine: --yes-write allows to write there, under "
                    "keys of the run's own",
                    text));
  }
  for (const std::string& text : arguments.hosts) {
    const Result<HostAddress> host = HostAddress::parse(text);
    problem.take(host);
    if (host) plan.hosts.push_back(*host);
  }
  if (!plan.endpoints.empty()) use_login_of_environment();
  plan.restart = arguments.restart;
  problem.unless(arguments.restart.empty() || !arguments.hosts.empty(),
                 "--restart is for nodes on hosts: it goes with --host");
  problem.unless(arguments.restart.find('\n') == std::string::npos, "--restart must be one line");
  problem.unless(plan.hosts.empty() || arguments.ground == "auto" || arguments.ground == "ssh",
                 fmt::format("--host is the ssh ground, not {}", arguments.ground));
  problem.unless(plan.hosts.empty() || arguments.yes_write,
                 "--host breaks what runs on other machines: --yes-write allows it");
  problem.unless(arguments.endpoints.empty() || !arguments.pcap,
                 "--pcap: the packets of nodes that run elsewhere are not seen");
  problem.unless(plan.hosts.empty() || plan.hosts.size() == plan.endpoints.size(),
                 fmt::format("{} --host for {} --endpoint: give each node both, in the same order",
                             plan.hosts.size(), plan.endpoints.size()));
  problem.unless(arguments.ground != "ssh" || !plan.hosts.empty(),
                 "--ground ssh: say where, as in --host root@db1 --endpoint db1:2379");
}

/// Left to us: the relay, unless something is asked for that only the sandbox has.
void choose_ground(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  take_endpoints(arguments, plan, problem);
  problem.unless(!plan.endpoints.empty() || plan.store->starts_nodes(),
                 "this store's nodes run elsewhere: say where, as in --endpoint 127.0.0.1:8000");
  const std::vector<std::string> known = {"auto", "sandbox", "relay", "ssh"};
  const bool is_known = std::find(known.begin(), known.end(), arguments.ground) != known.end();
  problem.unless(is_known, unknown_name("ground", arguments.ground, known));
  const bool relay = arguments.ground == "relay";
  problem.unless(!relay || !arguments.pcap,
                 "on the relay ground no packets are seen: --pcap needs the sandbox");
  problem.unless(!relay || !plan.store->needs_own_address(),
                 fmt::format("on the relay ground all nodes share an address: {} needs the sandbox",
                             plan.store_name));
  plan.pcap = arguments.pcap;
  plan.keep_keys = arguments.keep_keys;
  const bool by_faults =
      std::any_of(plan.faults.begin(), plan.faults.end(), [](const FaultSpec& fault) {
        return fault.kind->needs == Needs::shaped_links || fault.kind->needs == Needs::own_disks;
      });
  const bool needed = by_faults || plan.pcap || plan.store->needs_own_address();
  if (arguments.ground == "sandbox" || (arguments.ground == "auto" && needed))
    plan.ground = GroundChoice::sandbox;
  if (plan.endpoints.empty()) return;
  plan.ground = plan.hosts.empty() ? GroundChoice::attached : GroundChoice::hosts;
  plan.key_prefix = fmt::format("consistory-{}-{:x}-", calendar_utc(), plan.seed);
  problem.unless(plan.faults.empty() || !plan.hosts.empty(),
                 "nodes that run elsewhere cannot be broken without --host: every fault but none "
                 "is impossible with --endpoint alone");
}

/// Isolation levels, by the same options as models.
void choose_levels(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  problem.unless(plan.workloads.size() == 1,
                 "the workload transaction is judged by isolation levels, and runs alone");
  const auto resolve = [&](const std::vector<std::string>& names, auto&& add) {
    for (const std::string& name : names) {
      const Result<const LevelInfo*> level = find_level(name);
      problem.take(level);
      if (level) add(**level);
    }
  };
  const auto into = [](std::vector<std::string>& list) {
    return [&list](const LevelInfo& level) { list.emplace_back(level.name); };
  };
  plan.promised = *plan.store->isolation();
  resolve(arguments.require, into(plan.required_by_user));
  resolve(arguments.expect_violation, into(plan.expect_violation));
  resolve(arguments.models, [&](const LevelInfo& level) { plan.levels.push_back(&level); });
  for (const std::string& name : plan.required_by_user) plan.promised.push_back(name);
  if (!plan.levels.empty()) {
    for (const auto* more : {&plan.promised, &plan.expect_violation})
      resolve(*more, [&](const LevelInfo& level) { plan.levels.push_back(&level); });
  }
  problem.unless(arguments.check, "--no-check: a run of transactions is always checked");
}

void choose_models(const RunArguments& arguments, RunPlan& plan, Problem& problem) {
  bool lists = false, swaps = false;
  for (const Workload* workload : plan.workloads) {
    lists = lists || workload->lists() || workload->additions();
    swaps = swaps || workload->needs == Function::cas;
  }
  const bool clocks_move =
      std::any_of(plan.faults.begin(), plan.faults.end(),
                  [](const FaultSpec& fault) { return fault.kind->name == "clock"; });
  plan.promised = plan.store->claims({lists, plan.sessions_move, clocks_move, swaps});
  // No store promises anything on disks that lie, or when bits change unnoticed.
  const bool hardware_lies =
      std::any_of(plan.faults.begin(), plan.faults.end(), [](const FaultSpec& fault) {
        return fault.variant == "lying-fsync" || fault.variant == "bit-flip" ||
               fault.variant == "corrupt-silently";
      });
  if (hardware_lies) plan.promised.clear();
  const auto resolve = [&](const std::vector<std::string>& names, std::vector<std::string>& into) {
    for (const std::string& name : names) {
      const Result<const Model*> model = find_model(name);
      problem.take(model);
      if (model) into.emplace_back((*model)->name);
    }
  };
  resolve(arguments.require, plan.required_by_user);
  resolve(arguments.expect_violation, plan.expect_violation);
  std::vector<std::string> judged;
  resolve(arguments.models, judged);
  for (const std::string& name : plan.required_by_user) plan.promised.push_back(name);
  if (judged.empty()) judged = model_names();
  for (const auto* more : {&plan.promised, &plan.expect_violation}) {
    for (const std::string& name : *more) {
      if (std::find(judged.begin(), judged.end(), name) == judged.end()) judged.push_back(name);
    }
  }
  for (const std::string& name : judged) plan.models.push_back(*find_model(name));
}

std::string shell_word(const std::string& word) {
  const bool plain = word.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "-_=+:,./") == std::string::npos;
  if (plain && !word.empty()) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string rerun_command(const RunArguments& arguments, const RunPlan& plan) {
  std::vector<std::string> words = {"./consistory", "run", plan.store_name};
  const RunArguments defaults;
  const auto option = [&](const char* flag, const std::string& value, const std::string& fallback) {
    if (value != fallback) words.insert(words.end(), {flag, value});
  };
  for (const std::string& word : plan.store->arguments()) words.push_back(word);
  option("--workload", join(arguments.workloads, ","), "");
  option("--fault", arguments.faults.empty() ? "none" : join(arguments.faults, ","),
         join(defaults.faults, ","));
  for (const std::string& endpoint : arguments.endpoints) option("--endpoint", endpoint, "");
  for (const std::string& host : arguments.hosts) option("--host", host, "");
  option("--restart", arguments.restart, "");
  if (arguments.yes_write) words.emplace_back("--yes-write");
  if (arguments.keep_keys) words.emplace_back("--keep-keys");
  option("--schedule", arguments.schedule, "");
  option("--ground", arguments.ground, defaults.ground);
  if (arguments.pcap) words.emplace_back("--pcap");
  option("--fault-every", arguments.fault_every, "");
  option("--fault-for", arguments.fault_for, "");
  option("--duration", arguments.duration, defaults.duration);
  option("--nodes", std::to_string(arguments.nodes), std::to_string(defaults.nodes));
  option("--concurrency", std::to_string(arguments.concurrency),
         std::to_string(defaults.concurrency));
  option("--rate", fmt::format("{}", arguments.rate), fmt::format("{}", defaults.rate));
  option("--keys", std::to_string(arguments.keys), std::to_string(defaults.keys));
  option("--read-ratio", fmt::format("{}", arguments.read_ratio),
         fmt::format("{}", defaults.read_ratio));
  option("--op-timeout", arguments.op_timeout, defaults.op_timeout);
  option("--settle", arguments.settle, defaults.settle);
  option("--sessions", arguments.sessions, defaults.sessions);
  option("--model", join(arguments.models, ","), "");
  option("--check-steps", std::to_string(arguments.check_steps),
         std::to_string(defaults.check_steps));
  option("--check-timeout", arguments.check_timeout, "");
  option("--check-memory", arguments.check_memory, "");
  option("--require", join(arguments.require, ","), "");
  option("--expect-violation", join(arguments.expect_violation, ","), "");
  option("--seed", std::to_string(plan.seed), "");
  for (std::string& word : words) word = shell_word(word);
  return join(words, " ");
}

std::string describe_load(const RunPlan& plan) {
  std::vector<std::string> workloads, faults;
  for (const Workload* workload : plan.workloads) workloads.emplace_back(workload->name);
  for (const FaultSpec& fault : plan.faults) faults.push_back(fault.name());
  return fmt::format(
      "{} nodes, {} {} sessions, {} for {}, workloads {}, faults {}", plan.nodes, plan.concurrency,
      plan.sessions_move ? "moving" : "pinned",
      plan.rate > 0 ? fmt::format("{} operations/s", plan.rate) : std::string("unlimited rate"),
      format_duration(plan.duration), join(workloads, " and "),
      faults.empty() ? "none" : join(faults, ", "));
}

std::string results_root(const RunArguments& arguments) {
  if (!arguments.out.empty()) return arguments.out;
  const char* root = std::getenv("CONSISTORY_RESULTS");
  return root != nullptr && *root != '\0' ? root : "results/runs";
}

}  // namespace

bool RunPlan::relay_clients() const {
  return std::any_of(faults.begin(), faults.end(),
                     [](const FaultSpec& fault) { return fault.needs_client_links(); });
}

bool RunPlan::own_disks() const {
  return std::any_of(faults.begin(), faults.end(),
                     [](const FaultSpec& fault) { return fault.kind->needs == Needs::own_disks; });
}

namespace {

/// What the words mean together: a description is the store; endpoints are the nodes, and leave
/// nothing to be broken unless somebody asks.
RunArguments completed(RunArguments arguments) {
  for (const auto& [name, value] : arguments.store_settings) {
    const bool describes = name == "store" || name == "adapter";
    if (describes && arguments.store == RunArguments().store) arguments.store = "file";
  }
  if (arguments.endpoints.empty()) return arguments;
  arguments.nodes = static_cast<int>(arguments.endpoints.size());
  const bool untouched = arguments.hosts.empty() && arguments.faults == RunArguments().faults;
  if (untouched) arguments.faults = {"none"};
  return arguments;
}

}  // namespace

Result<RunPlan> make_plan(const RunArguments& given) {
  const RunArguments arguments = completed(given);
  Problem problem;
  check_ranges(arguments, problem);
  const Result<const StoreKind*> kind = find_store(arguments.store);
  problem.take(kind);
  if (problem.error()) return *problem.error();
  Result<std::unique_ptr<Store>> store =
      (*kind)->make(arguments.store_settings, static_cast<std::size_t>(arguments.nodes));
  if (!store) return store.error();
  RunPlan plan;
  plan.store = std::move(*store);
  plan.store_name = (*kind)->name;
  plan.nodes = static_cast<std::size_t>(arguments.nodes);
  plan.concurrency = static_cast<std::size_t>(arguments.concurrency);
  plan.rate = arguments.rate;
  plan.duration = duration_of(arguments.duration, "--duration", problem);
  problem.unless(plan.duration > 0, "--duration must be given, such as 30s");
  plan.op_timeout = duration_of(arguments.op_timeout, "--op-timeout", problem);
  problem.unless(plan.op_timeout >= 10 * kMillisecond, "--op-timeout must be at least 10ms");
  plan.settle = duration_of(arguments.settle, "--settle", problem);
  plan.sessions_move = arguments.sessions == "moving";
  plan.workload_options = {static_cast<std::size_t>(arguments.keys), arguments.read_ratio, 40};
  plan.seed = seed_of(arguments.seed, problem);
  plan.out = results_root(arguments);
  plan.port_base = static_cast<unsigned short>(arguments.port_base);
  plan.check = arguments.check;
  plan.check_steps = arguments.check_steps;
  plan.check_timeout = duration_of(arguments.check_timeout, "--check-timeout", problem);
  plan.check_memory = bytes_of(arguments.check_memory, "--check-memory", problem);
  if (plan.store->has_one_object()) spread_over_one_object(plan);
  choose_workloads(arguments, plan, problem);
  choose_faults(arguments, plan, problem);
  choose_ground(arguments, plan, problem);
  if (plan.transactional()) choose_levels(arguments, plan, problem);
  else choose_models(arguments, plan, problem);
  if (problem.error()) return *problem.error();
  plan.command = rerun_command(arguments, plan);
  plan.description = describe_load(plan);
  return plan;
}

}  // namespace consistory
