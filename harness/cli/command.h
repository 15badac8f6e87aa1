#pragma once
// The table of commands: one file a command. Help, dispatch and "did you mean" read the table.

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace consistory {

struct CommandSpec {
  std::string_view name;
  std::string_view summary;
  std::string_view examples;
  /// Adds the options; returns what to do once they are parsed. It returns the exit code.
  std::function<int()> (*define)(CLI::App& app);
};

std::span<const CommandSpec> all_commands();

std::function<int()> define_run(CLI::App& app);
std::function<int()> define_campaign(CLI::App& app);
std::function<int()> define_selftest(CLI::App& app);
std::function<int()> define_check(CLI::App& app);
std::function<int()> define_convert(CLI::App& app);
std::function<int()> define_report(CLI::App& app);
std::function<int()> define_list(CLI::App& app);
std::function<int()> define_explain(CLI::App& app);
std::function<int()> define_doctor(CLI::App& app);
std::function<int()> define_adapter(CLI::App& app);

/// Prints "error: …" on stderr and returns the exit code of its kind.
int fail(const Error& error);

/// Is stdout a terminal that takes colour (NO_COLOR, TERM=dumb)?
bool stdout_takes_colour();

}  // namespace consistory
