// consistory: puts a replicated store on trial. Commands stand in command.cpp.
#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/suggest.h"
#include "harness/cli/command.h"
#include "harness/maelstrom/host.h"
#include "harness/stores/settings.h"

namespace consistory {
namespace {

constexpr const char* kVersion = "consistory 0.1.0";

std::string overview() {
  std::string text =
      "Consistory puts a replicated store on trial.\n\n"
      "  consistory run                          the reference store under partition and kill\n"
      "  consistory check history.jsonl          judge a recorded history\n\n";
  for (const CommandSpec& command : all_commands()) {
    text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  }
  return text + "\nconsistory COMMAND --help tells more; --version prints the version.\n";
}

/// CLI11 names neither an unknown command nor the option that was meant; this does.
std::optional<Error> unknown_option(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  const auto learn = [&](const CLI::App* of) {
    for (const CLI::Option* option : of->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  };
  learn(&app);
  for (const CLI::App* part : app.get_subcommands({})) learn(part);
  for (int i = 2; i < argc; ++i) {
    const std::string word(argv[i]);
    if (word == "--") break;
    if (!word.starts_with("--")) continue;
    const std::string name = word.substr(0, word.find('='));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = closest(name, known);
    return usage_error(
        fmt::format("{}: unknown option {}{} (consistory {} --help lists them)", argv[1], name,
                    near.empty() ? "" : fmt::format("; did you mean {}?", near), argv[1]));
  }
  return std::nullopt;
}

/// An option that may come several times takes one word each time: the next may be a file.
void take_one_word_each(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_positional() && option->get_items_expected_max() > 1)
      option->allow_extra_args(false);
  }
  for (CLI::App* part : app.get_subcommands({})) take_one_word_each(*part);
}

const CommandSpec* find_command(std::string_view name) {
  for (const CommandSpec& command : all_commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

int unknown_command(const char* word) {
  std::vector<std::string> names;
  for (const CommandSpec& command : all_commands()) names.emplace_back(command.name);
  return fail(usage_error(unknown_name("command", word, names)));
}

int dispatch(const CommandSpec& command, int argc, char** argv) {
  CLI::App app(std::string(command.summary), "consistory " + std::string(command.name));
  app.set_help_flag("-h,--help", "Print this help");
  app.footer("Examples:\n" + std::string(command.examples));
  const std::function<int()> act = command.define(app);
  take_one_word_each(app);
  if (const auto error = unknown_option(app, argc, argv)) return fail(*error);
  try {
    app.parse(argc - 1, argv + 1);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(usage_error(fmt::format("{}: {}", command.name, error.what())));
  }
  return act();
}

/// A node of a run of ours, not a command for people: NUMBER HOST:PORT,HOST:PORT,… WORKLOAD PROGRAM
/// ARGUMENTS…
int host_maelstrom_node(int argc, char** argv) {
  if (argc < 6) return 64;
  MaelstromHost host;
  host.number = std::strtoul(argv[2], nullptr, 10);
  for (const std::string& word : parts_of(argv[3])) {
    const Result<Endpoint> node = Endpoint::parse(word);
    if (!node) return fail(node.error());
    host.nodes.push_back(*node);
  }
  if (host.number < 1 || host.number > host.nodes.size()) return 64;
  host.serves = argv[4];
  host.command.assign(argv + 5, argv + argc);
  return run_maelstrom_host(host);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(overview().c_str(), stderr);
    return 64;
  }
  const std::string_view word(argv[1]);
  if (word == "--help" || word == "-h" || word == "help") {
    std::fputs(overview().c_str(), stdout);
    return 0;
  }
  if (word == "--version") {
    std::puts(kVersion);
    return 0;
  }
  if (word == "maelstrom-host") return host_maelstrom_node(argc, argv);
  const CommandSpec* command = find_command(word);
  return command == nullptr ? unknown_command(argv[1]) : dispatch(*command, argc, argv);
}

/// A broken invariant aborts; its exit code says that it is our bug.
extern "C" void on_abort(int) { _exit(70); }

}  // namespace
}  // namespace consistory

int main(int argc, char** argv) {
  // What is large goes back to the system at once; kept, it would be the peak of a long history.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  signal(SIGABRT, consistory::on_abort);
  try {
    return consistory::run(argc, argv);
  } catch (const std::exception& error) {
    return consistory::fail(
        {consistory::ErrorKind::internal, std::string("internal error: ") + error.what()});
  }
}
