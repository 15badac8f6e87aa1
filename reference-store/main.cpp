// consistory-reference-store: one node. See PROTOCOL.md for what it speaks and promises.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "reference-store/defects.h"
#include "reference-store/http_server.h"

namespace refstore {
namespace {

struct Arguments {
  Config config;
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> peers;  // in node order, this node's own place is ignored
  std::string data;
  std::string clock_offset_file;
  std::string fsync = "always";
  std::string disk = "real";
  std::string read_write_back = "off";
  std::string versions = "on";
  std::optional<int> read_quorum;
  std::optional<int> write_quorum;
  bool unsafe_quorum = false;
};

tcp::endpoint parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw CLI::ValidationError(text, "expected ADDRESS:PORT");
  const auto port = static_cast<unsigned short>(std::stoul(text.substr(colon + 1)));
  return {asio::ip::make_address(text.substr(0, colon)), port};
}

std::vector<std::string> defect_names() {
  std::vector<std::string> names;
  for (const Defect& defect : kDefects) names.emplace_back(defect.name);
  return names;
}

void add_node_options(CLI::App& app, Arguments& arguments) {
  Config& config = arguments.config;
  app.add_option("--node", config.self, "This node's number")->required()->check(CLI::Range(1, 31));
  app.add_option("--listen", arguments.listen, "ADDRESS:PORT to serve on");
  app.add_option("--peers", arguments.peers, "ADDRESS:PORT of every node, in order")
      ->required()
      ->delimiter(',');
  app.add_option("--data", arguments.data, "Data directory of this node")->required();
  app.add_option("--fsync", arguments.fsync, "when the log is made durable")
      ->check(CLI::IsMember({"always", "interval", "never"}));
  app.add_option("--disk", arguments.disk, "volatile: unsynced bytes die with the process")
      ->check(CLI::IsMember({"real", "volatile"}));
  app.add_option("--clock-offset-file", arguments.clock_offset_file,
                 "holds milliseconds by which this node's wall clock is off; read as it runs");
  app.add_option("--request-timeout", config.request_timeout,
                 "ms until a request is answered info or refused");
  app.add_option("--ver", arguments.versions, "off: answers show no versions")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--link-delay", config.link_delay, "mean delay of what goes to another node, ms")
      ->check(CLI::Range(0, 10'000));
  app.add_option("--seed", config.seed, "of the delays and choices");
  app.add_option("--defect", config.defect, "plants a bug (--list-defects)")
      ->check(CLI::IsMember(defect_names()));
}

void add_protocol_options(CLI::App& app, Arguments& arguments) {
  Config& config = arguments.config;
  app.add_option("--protocol", config.protocol)
      ->check(CLI::IsMember({"primary", "local-writes", "quorum", "eventual", "causal", "raft"}));
  app.add_option("--primary", config.primary, "primary: one for all keys, or one per key")
      ->check(CLI::IsMember({"single", "per-key"}));
  app.add_option("--propagation", config.propagation,
                 "primary, local-writes: when an update is answered")
      ->check(CLI::IsMember({"sync", "majority", "async"}));
  app.add_option("--read-from", config.read_from, "primary: who answers reads")
      ->check(CLI::IsMember({"primary", "local"}));
  app.add_option("-R", arguments.read_quorum, "quorum: answers to a read (default: a majority)");
  app.add_option("-W", arguments.write_quorum,
                 "quorum: acknowledgements of a write (default: a majority)");
  app.add_flag("--unsafe-quorum", arguments.unsafe_quorum, "quorum: allow R+W<=N or 2W<=N");
  app.add_option("--read-write-back", arguments.read_write_back,
                 "quorum: a read stores what it found before it answers")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--lazy-delay", config.lazy_delay,
                 "eventual, local-writes async: mean delay of an update, ms")
      ->check(CLI::Range(0, 60'000));
  app.add_option("--lww", config.lww, "eventual: the clock by which the last writer wins")
      ->check(CLI::IsMember({"lamport", "wall"}));
  app.add_option("--conflicts", config.conflicts, "causal: the last writer wins, or who came last")
      ->check(CLI::IsMember({"converge", "arrival"}));
  app.add_option("--session", config.session,
                 "eventual, primary async with local reads: guarantees, of mr,mw,ryw,wfr");
  app.add_option("--reads", config.reads, "raft: how a read knows that it is not stale")
      ->check(CLI::IsMember({"log", "index", "lease", "local"}));
  app.add_option("--snapshot-every", config.snapshot_every, "raft: entries until the log is cut")
      ->check(CLI::Range(10, 1'000'000));
}

/// Sentences that say why the settings do not go together; empty if they do.
std::string quorum_problem(const Arguments& arguments) {
  const Config& config = arguments.config;
  const int n = config.nodes, r = config.read_quorum, w = config.write_quorum;
  if (config.protocol != "quorum") return {};
  if (r < 1 || w < 1 || r > n || w > n) return "R and W must lie between 1 and the number of nodes";
  if (arguments.unsafe_quorum || (r + w > n && 2 * w > n)) return {};
  return "R+W must exceed N and 2W must exceed N, or reads may miss writes (--unsafe-quorum allows "
         "it)";
}

std::string session_problem(const Config& config) {
  if (config.session.empty()) return {};
  std::istringstream words(config.session);
  for (std::string word; std::getline(words, word, ',');) {
    if (word != "mr" && word != "mw" && word != "ryw" && word != "wfr")
      return "--session takes mr, mw, ryw and wfr, with commas between, not \"" + word + "\"";
  }
  const bool lazy_primary = config.protocol == "primary" && config.primary == "single" &&
                            config.propagation == "async" && config.read_from == "local";
  if (config.protocol == "eventual" || lazy_primary) return {};
  return "--session is a layer over --protocol eventual, or over one primary with --propagation "
         "async and --read-from local";
}

std::string problem_of(const Arguments& arguments) {
  const Config& config = arguments.config;
  if (config.self > config.nodes) return "--node must be one of --peers";
  if (config.protocol == "local-writes" && config.propagation == "majority")
    return "--protocol local-writes propagates sync or async";
  if (std::string problem = quorum_problem(arguments); !problem.empty()) return problem;
  return session_problem(config);
}

int serve(Arguments& arguments) {
  Config& config = arguments.config;
  std::filesystem::create_directories(arguments.data);
  config.incarnation = next_incarnation(arguments.data + "/incarnation");
  const auto fsync = arguments.fsync == "always"     ? DurableLog::Fsync::always
                     : arguments.fsync == "interval" ? DurableLog::Fsync::interval
                                                     : DurableLog::Fsync::never;
  DurableLog log(arguments.data + "/log", {fsync, arguments.disk == "volatile"});
  std::unique_ptr<Protocol> protocol = make_protocol(config);
  const std::size_t torn =
      log.replay([&](std::string_view record) { protocol->recover(Json::parse(record)); });
  if (torn > 0) std::fprintf(stderr, "cut %zu torn bytes off the log\n", torn);

  asio::io_context context(1);
  std::map<Peer, tcp::endpoint> peers;
  for (Peer peer = 1; peer <= config.nodes; ++peer) {
    if (peer != config.self)
      peers[peer] = parse_endpoint(arguments.peers[static_cast<std::size_t>(peer) - 1]);
  }
  Node node(context, config, std::move(protocol), log, WallClock(arguments.clock_offset_file),
            peers);
  const tcp::endpoint address = parse_endpoint(arguments.listen);
  const HttpServer server(context, address, node);
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](ErrorCode, int) {
    node.stop();
    context.stop();
  });
  node.start();
  std::fprintf(stderr, "node %d serves on %s, incarnation %llu\n", config.self,
               arguments.listen.c_str(), static_cast<unsigned long long>(config.incarnation));
  context.run();
  return 0;
}

[[noreturn]] void list_defects() {
  for (const Defect& defect : kDefects) {
    std::printf("%-30s %-14s %s\n", std::string(defect.name).c_str(),
                std::string(defect.protocol).c_str(), std::string(defect.what).c_str());
  }
  throw CLI::Success();
}

}  // namespace
}  // namespace refstore

int main(int argc, char** argv) {
  using namespace refstore;
  Arguments arguments;
  CLI::App app("One node of the reference store");
  add_node_options(app, arguments);
  add_protocol_options(app, arguments);
  app.add_flag_callback("--list-defects", list_defects, "Prints the bugs that can be planted");
  CLI11_PARSE(app, argc, argv);
  Config& config = arguments.config;
  config.nodes = static_cast<int>(arguments.peers.size());
  config.read_quorum = arguments.read_quorum.value_or(config.majority());
  config.write_quorum = arguments.write_quorum.value_or(config.majority());
  config.read_write_back = arguments.read_write_back == "on";
  config.versions = arguments.versions == "on";
  if (const std::string problem = problem_of(arguments); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 64;
  }
  try {
    return serve(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "node %d: %s\n", arguments.config.self, error.what());
    return 69;
  }
}
