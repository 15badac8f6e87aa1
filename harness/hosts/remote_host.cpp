#include "harness/hosts/remote_host.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/escape.h"
#include "harness/stores/installed.h"

namespace consistory {
namespace {

constexpr Nanos kLoginTimeout = 30 * kSecond;
constexpr Nanos kAnswerTimeout = 15 * kSecond;
constexpr Nanos kSilence = 3 * kSecond;

/// The helper stands beside our executable.
Result<std::string> helper_program() {
  const auto path =
      std::filesystem::path(own_executable()).parent_path() / "consistory-host-helper";
  std::ifstream file(path, std::ios::binary);
  if (!file) return environment_error(fmt::format("cannot read {}", path.string()));
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// Takes the helper from its input, then becomes it; with the rights of root, if it can have them.
std::string remote_command(std::size_t size) {
  return fmt::format(
      "exec sh -c 'f=$(mktemp \"${{TMPDIR:-/tmp}}/consistory-helper.XXXXXX\") || exit; "
      "trap \"\" HUP; head -c {0} >\"$f\"; "
      "if [ \"$(wc -c <\"$f\")\" -eq {0} ] && chmod 700 \"$f\"; then "
      "if [ \"$(id -u)\" != 0 ] && sudo -n true 2>/dev/null; "
      "then sudo -n \"$f\" \"$SSH_CONNECTION\"; else \"$f\" \"$SSH_CONNECTION\"; fi; fi; "
      "status=$?; rm -f \"$f\"; exit $status'",
      size);
}

Result<Command> ssh_command(const HostAddress& address, std::size_t size) {
  const char* given = std::getenv("CONSISTORY_SSH");
  std::istringstream words(given != nullptr && *given != '\0' ? given : "ssh");
  Command command;
  words >> command.program;
  for (std::string word; words >> word;) command.arguments.push_back(word);
  const std::string program = find_program(command.program);
  if (program.empty())
    return environment_error(
        fmt::format("{} is missing: apt-get install openssh-client", command.program));
  command.program = program;
  for (const char* option :
       {"BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3"})
    command.arguments.insert(command.arguments.end(), {"-o", option});
  if (address.port > 0)
    command.arguments.insert(command.arguments.end(), {"-p", std::to_string(address.port)});
  command.arguments.insert(command.arguments.end(),
                           {"-T", "--", address.login, remote_command(size)});
  return command;
}

std::string last_line_of(const std::string& path) {
  std::ifstream log(path);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return shorten(escape_terminal(last), 200);
}

}  // namespace

Result<std::unique_ptr<RemoteHost>> RemoteHost::connect(const HostAddress& address,
                                                        const std::string& log_path) {
  const Result<std::string> helper = helper_program();
  if (!helper) return helper.error();
  const Result<Command> command = ssh_command(address, helper->size());
  if (!command) return command.error();
  Descriptor input, output;
  Result<ChildProcess> ssh = ChildProcess::spawn_piped(*command, log_path, input, output);
  if (!ssh) return ssh.error();
  std::unique_ptr<RemoteHost> host(new RemoteHost(address.host(), log_path, std::move(*ssh),
                                                  LinePipe(std::move(input), std::move(output))));
  const Nanos deadline = monotonic_now() + kLoginTimeout;
  if (!host->pipe_.send(*helper, deadline)) return host->lost("could not be reached");
  const auto first =
      host->pipe_.send_line("0 beat", deadline) ? host->pipe_.receive_line(deadline) : std::nullopt;
  if (!first) return host->lost("did not start our helper");
  if (*first != "0 ok ")
    return environment_error(
        fmt::format("host {} says \"{}\" in place of our helper: does its login print something?",
                    host->name_, shorten(escape_terminal(*first), 100)));
  host->last_word_ = monotonic_now();
  return host;
}

Error RemoteHost::lost(const std::string& what) const {
  return environment_error(
      fmt::format("host {} {} ({}): {}", name_, what, pipe_.trouble(), last_line_of(log_path_)));
}

Result<std::string> RemoteHost::ask(const std::string& request) {
  const std::lock_guard lock(mutex_);
  last_word_ = monotonic_now();
  const Nanos deadline = last_word_ + kAnswerTimeout;
  const std::string id = std::to_string(++last_id_);
  if (!pipe_.send_line(id + " " + request, deadline)) return lost("is lost");
  for (;;) {
    const std::optional<std::string> line = pipe_.receive_line(deadline);
    if (!line || monotonic_now() > deadline) return lost("does not answer");
    if (!line->starts_with(id + " ")) continue;  // of what was given up before
    const std::string answer = line->substr(id.size() + 1);
    if (answer.starts_with("ok ")) return answer.substr(3);
    return environment_error(fmt::format(
        "host {}: {}", name_, shorten(escape_terminal(answer.substr(answer.find(' ') + 1)), 300)));
  }
}

void RemoteHost::keep_alive() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || monotonic_now() - last_word_ < kSilence) return;
  last_word_ = monotonic_now();
  static_cast<void>(pipe_.send_line(std::to_string(++last_id_) + " beat", last_word_ + kSecond));
}

}  // namespace consistory
