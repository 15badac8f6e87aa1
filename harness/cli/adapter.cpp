// consistory adapter: scaffolds of client plugins, and the check that a plugin or a description
// tells the truth about its store.
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/escape.h"
#include "base/suggest.h"
#include "harness/cli/adapter_templates.h"
#include "harness/cli/command.h"
#include "harness/run/adapter_check.h"
#include "harness/run/interrupt.h"
#include "harness/sandbox/enter.h"

namespace consistory {
namespace {

struct Options {
  RunArguments arguments;
  std::string file, adapter, language = "python", path;
  bool json = false;
};

int list() {
  for (const AdapterTemplate& row : adapter_templates())
    std::printf("%-8s %s\n", std::string(row.language).c_str(), std::string(row.summary).c_str());
  return 0;
}

int create(const Options& options) {
  std::vector<std::string> known;
  for (const AdapterTemplate& row : adapter_templates()) {
    known.emplace_back(row.language);
    if (row.language != options.language) continue;
    const std::string path =
        options.path.empty() ? "client" + std::string(row.extension) : options.path;
    if (std::filesystem::exists(path))
      return fail(usage_error(path + " is there already, and stays as it is"));
    std::ofstream file(path);
    file << row.text;
    file.close();
    if (!file) return fail(environment_error("cannot write " + path));
    std::filesystem::permissions(path, std::filesystem::perms::owner_exec,
                                 std::filesystem::perm_options::add);
    std::printf("%s\n\n%s\n", path.c_str(), fmt::format(fmt::runtime(row.next), path).c_str());
    return 0;
  }
  return fail(usage_error(unknown_name("language", options.language, known)));
}

int print(const std::vector<AdapterFinding>& findings) {
  bool fine = true;
  for (const AdapterFinding& finding : findings) {
    const bool so = finding.kind != AdapterFinding::Kind::wrong;
    fine = fine && so;
    std::printf("%s  %s\n", so ? "ok   " : "WRONG", finding.what.c_str());
    if (!finding.detail.empty())
      std::printf("       %s\n", escape_terminal(finding.detail).c_str());
  }
  std::printf("%s\n", fine ? "\nall fine" : "\na verdict about this store would mean nothing yet");
  return fine ? 0 : 1;
}

int check(Options options) {
  if (options.file.empty() && options.adapter.empty())
    return fail(
        usage_error("adapter check: what? --store FILE, or --adapter COMMAND --endpoint …"));
  if (!options.file.empty()) options.arguments.store_settings.emplace_back("store", options.file);
  if (!options.adapter.empty())
    options.arguments.store_settings.emplace_back("adapter", options.adapter);
  options.arguments.faults = {"none"};
  if (options.arguments.endpoints.size() > 1) options.arguments.endpoints.resize(1);
  options.arguments.nodes = 1;
  const Result<RunPlan> plan = make_plan(options.arguments);
  if (!plan) return fail(plan.error());
  if (plan->ground == GroundChoice::sandbox) {
    if (const Status inside = enter_sandbox(); !inside) return fail(inside.error());
  }
  install_interrupt_handlers();
  std::string directory = (std::filesystem::temp_directory_path() / "consistory-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr)
    return fail(environment_error("cannot make a directory in the system's folder for such"));
  const auto findings = check_adapter(*plan, directory);
  if (!findings) {  // and says so: the node's log is there
    const bool logged = std::filesystem::exists(directory + "/n1.log");
    if (logged) std::fprintf(stderr, "%s is kept\n", directory.c_str());
    else std::filesystem::remove_all(directory);
    return fail(findings.error());
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return print(*findings);
}

}  // namespace

std::function<int()> define_adapter(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* listing = app.add_subcommand("list", "The languages that there are scaffolds for");
  CLI::App* making = app.add_subcommand("new", "Write a client plugin to start from");
  making->add_option("--lang", options->language, "python, cpp, sh or node")->capture_default_str();
  making->add_option("path", options->path, "Where to write it (default: client.py and so on)");
  CLI::App* checking =
      app.add_subcommand("check", "Does the plugin or the description tell the truth?");
  checking->add_option("--store", options->file, "A TOML file that describes a store");
  checking->add_option("--adapter", options->adapter, "The command of a plugin; with --endpoint");
  checking->add_option("--endpoint", options->arguments.endpoints, "host:port of a node that runs");
  checking->add_flag("--yes-write", options->arguments.yes_write,
                     "Write to an endpoint that is not of this machine");
  app.require_subcommand(1);
  return [options, listing, making] {
    if (listing->parsed()) return list();
    if (making->parsed()) return create(*options);
    return check(*options);
  };
}

}  // namespace consistory
