// Reading a campaign's TOML. Every key is known or refused, with line and column.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "base/escape.h"
#include "base/suggest.h"
#include "harness/run/campaign.h"

namespace consistory {
namespace {

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<Campaign> read() {
    toml::table file;
    try {
      file = toml::parse_file(path_);
    } catch (const toml::parse_error& error) {
      const auto& at = error.source().begin;
      return usage_error(
          fmt::format("{}:{}:{}: {}", path_, at.line, at.column, error.description()));
    }
    Campaign campaign;
    campaign.file = path_;
    refuse_unknown(file, {"schema", "name", "run", "config", "workloads", "faults", "seeds"},
                   "the campaign");
    if (file["schema"].value_or(0) != 1) problem(file, "a campaign starts with schema = 1");
    campaign.name = file["name"].value_or(std::string("unnamed"));
    read_cells(file, campaign);
    if (error_) return *error_;
    for (const CampaignCell& cell : campaign.cells) {
      const Result<RunPlan> plan = make_plan(cell.arguments);
      if (!plan)
        return usage_error(
            fmt::format("{}: {} | {}: {}", path_, cell.row, cell.column, plan.error().message));
    }
    return campaign;
  }

 private:
  void problem(const toml::node& node, const std::string& what) {
    if (error_) return;
    const auto& at = node.source().begin;
    error_ = usage_error(fmt::format("{}:{}:{}: {}", path_, at.line, at.column, what));
  }

  void refuse_unknown(const toml::table& table, const std::vector<std::string>& known,
                      std::string_view where) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end() || error_) continue;
      const auto& at = key.source().begin;
      error_ = usage_error(fmt::format("{}:{}:{}: {}", path_, at.line, at.column,
                                       unknown_name(fmt::format("key of {}", where), name, known)));
    }
  }

  std::vector<std::string> strings(const toml::node& node) {
    std::vector<std::string> all;
    if (const auto one = node.value<std::string>()) return {*one};
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      problem(node, "expected a string or an array of strings");
      return all;
    }
    for (const toml::node& item : *array) {
      const auto text = item.value<std::string>();
      if (!text) problem(item, "expected a string");
      all.push_back(text.value_or(""));
    }
    return all;
  }

  template <class T>
  void number(const toml::node& node, T& into) {
    const auto value = node.value<double>();
    if (!value || node.is_boolean()) problem(node, "expected a number");
    into = static_cast<T>(value.value_or(0));
  }
  void string(const toml::node& node, std::string& into) {
    const auto value = node.value<std::string>();
    if (!value) problem(node, "expected a string");
    into = value.value_or("");
  }

  /// The keys of [run] and of each [[config]]; what is left is a setting of the store.
  void read_arguments(const toml::table& table, std::string_view where, RunArguments& arguments) {
    std::vector<std::string> known = {
        "duration",         "nodes",       "concurrency", "rate",       "keys",    "read_ratio",
        "sessions",         "fault_every", "fault_for",   "op_timeout", "models",  "require",
        "expect_violation", "store",       "check_steps", "ground",     "schedule"};
    const std::size_t own = known.size();
    for (const StoreKind& store : all_stores()) {
      for (const StoreSetting& setting : store.settings()) {
        std::string name = setting.name;
        std::replace(name.begin(), name.end(), '-', '_');
        if (name != "store") known.push_back(name);  // which is a key of our own
      }
    }
    if (where == "a config") known.emplace_back("name");
    refuse_unknown(table, known, where);
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const auto place = std::find(known.begin(), known.end(), name);
      if (name == "name" || place == known.end()) continue;
      if (place - known.begin() >= static_cast<std::ptrdiff_t>(own))
        read_setting(name, node, arguments);
      else read_argument(name, node, arguments);
    }
  }

  void read_setting(std::string name, const toml::node& node, RunArguments& arguments) {
    std::replace(name.begin(), name.end(), '_', '-');
    if (const auto text = node.value<std::string>()) {
      arguments.store_settings.emplace_back(name, *text);
    } else if (const auto whole = node.value<std::int64_t>(); whole && !node.is_boolean()) {
      arguments.store_settings.emplace_back(name, std::to_string(*whole));
    } else {
      problem(node, "expected a string or a whole number");
    }
  }

  void read_argument(const std::string& name, const toml::node& node, RunArguments& arguments) {
    if (name == "duration") string(node, arguments.duration);
    if (name == "fault_every") string(node, arguments.fault_every);
    if (name == "fault_for") string(node, arguments.fault_for);
    if (name == "op_timeout") string(node, arguments.op_timeout);
    if (name == "sessions") string(node, arguments.sessions);
    if (name == "store") string(node, arguments.store);
    if (name == "ground") string(node, arguments.ground);
    if (name == "schedule") string(node, arguments.schedule);
    if (name == "nodes") number(node, arguments.nodes);
    if (name == "concurrency") number(node, arguments.concurrency);
    if (name == "rate") number(node, arguments.rate);
    if (name == "keys") number(node, arguments.keys);
    if (name == "read_ratio") number(node, arguments.read_ratio);
    if (name == "check_steps") number(node, arguments.check_steps);
    if (name == "models") arguments.models = strings(node);
    if (name == "require") arguments.require = strings(node);
    if (name == "expect_violation") arguments.expect_violation = strings(node);
  }

  std::vector<std::vector<std::string>> mixes(const toml::table& file, const char* name) {
    std::vector<std::vector<std::string>> all;
    const toml::node* node = file.get(name);
    if (node == nullptr) return {{}};
    const toml::array* array = node->as_array();
    if (array == nullptr || array->empty()) {
      problem(*node,
              fmt::format("{} must be an array, each entry a name or an array of names", name));
      return {{}};
    }
    for (const toml::node& mix : *array) all.push_back(strings(mix));
    return all;
  }

  std::vector<std::uint64_t> seeds(const toml::table& file) {
    const toml::node* node = file.get("seeds");
    if (node == nullptr) return {1};
    std::vector<std::uint64_t> all;
    if (const toml::array* array = node->as_array()) {
      for (const toml::node& item : *array) {
        const auto seed = item.value<std::int64_t>();
        if (!seed || *seed < 0) problem(item, "a seed must be a whole number, 0 or more");
        all.push_back(static_cast<std::uint64_t>(seed.value_or(0)));
      }
    }
    if (all.empty()) problem(*node, "seeds must be an array of whole numbers");
    return all;
  }

  void read_cells(const toml::table& file, Campaign& campaign) {
    RunArguments base;
    if (const toml::node* run = file.get("run")) {
      if (run->is_table()) read_arguments(*run->as_table(), "run", base);
      else problem(*run, "run must be a table");
    }
    const toml::array* configs =
        file.get("config") == nullptr ? nullptr : file["config"].as_array();
    if (configs == nullptr || configs->empty())
      return problem(file, "a campaign needs at least one [[config]]");
    const auto workload_mixes = mixes(file, "workloads");
    const auto fault_mixes = mixes(file, "faults");
    for (const toml::node& config : *configs) {
      if (!config.is_table())
        return problem(config, "config must be an array of tables, written [[config]]");
      RunArguments arguments = base;
      read_arguments(*config.as_table(), "a config", arguments);
      const std::string name =
          (*config.as_table())["name"].value_or(fmt::format("config {}", campaign.cells.size()));
      for (const auto& workloads : workload_mixes) {
        for (const auto& faults : fault_mixes) {
          for (const std::uint64_t seed : seeds(file)) {
            campaign.cells.push_back(cell(name, arguments, workloads, faults, seed));
          }
        }
      }
    }
  }

  static CampaignCell cell(const std::string& name, RunArguments arguments,
                           const std::vector<std::string>& workloads,
                           const std::vector<std::string>& faults, std::uint64_t seed) {
    if (!workloads.empty()) arguments.workloads = workloads;
    if (!faults.empty()) arguments.faults = faults;
    arguments.seed = std::to_string(seed);
    const std::string row = workloads.empty() ? name : name + ", " + join(workloads, "+");
    return {row, join(arguments.faults, "+"), seed, std::move(arguments)};
  }

  std::string path_;
  std::optional<Error> error_;
};

}  // namespace

Result<Campaign> read_campaign(const std::string& path) { return Reader(path).read(); }

}  // namespace consistory
