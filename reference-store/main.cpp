// consistory-reference-store: one node. See PROTOCOL.md for what it speaks and promises.
#include <sys/stat.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "reference-store/http_server.h"

namespace refstore {
namespace {

struct Arguments {
  Config config;
  std::string protocol = "primary";
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> peers;  // in node order, this node's own place is ignored
  std::string data;
  std::string fsync = "on";
  std::string disk = "real";
  bool unsafe_quorum = false;
};

tcp::endpoint parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw CLI::ValidationError(text, "expected ADDRESS:PORT");
  const auto port = static_cast<unsigned short>(std::stoul(text.substr(colon + 1)));
  return {asio::ip::make_address(text.substr(0, colon)), port};
}

std::unique_ptr<Protocol> make_protocol(const Arguments& arguments) {
  if (arguments.protocol == "quorum") return make_quorum(arguments.config);
  if (arguments.protocol == "eventual") return make_eventual(arguments.config);
  if (arguments.protocol == "causal") return make_causal(arguments.config);
  return make_primary(arguments.config);
}

void add_options(CLI::App& app, Arguments& arguments) {
  Config& config = arguments.config;
  app.add_option("--node", config.self, "This node's number")->required()->check(CLI::Range(1, 31));
  app.add_option("--listen", arguments.listen, "ADDRESS:PORT to serve on");
  app.add_option("--peers", arguments.peers, "ADDRESS:PORT of every node, in order")
      ->required()
      ->delimiter(',');
  app.add_option("--data", arguments.data, "Data directory of this node")->required();
  app.add_option("--protocol", arguments.protocol)
      ->check(CLI::IsMember({"primary", "quorum", "eventual", "causal"}));
  app.add_option("--propagation", config.propagation, "primary: when an update is answered")
      ->check(CLI::IsMember({"sync", "async"}));
  app.add_option("--read-from", config.read_from, "primary: who answers reads")
      ->check(CLI::IsMember({"primary", "local"}));
  app.add_option("-R", config.read_quorum, "quorum: answers to a read");
  app.add_option("-W", config.write_quorum, "quorum: acknowledgements of a write");
  app.add_flag("--unsafe-quorum", arguments.unsafe_quorum, "quorum: allow R+W<=N or 2W<=N");
  app.add_option("--lazy-delay", config.lazy_delay, "eventual: mean delay of an update, ms")
      ->check(CLI::Range(0, 60'000));
  app.add_option("--conflicts", config.conflicts, "causal: the last writer wins, or who came last")
      ->check(CLI::IsMember({"converge", "arrival"}));
  app.add_option("--fsync", arguments.fsync)->check(CLI::IsMember({"on", "off"}));
  app.add_option("--disk", arguments.disk, "volatile: unsynced bytes die with the process")
      ->check(CLI::IsMember({"real", "volatile"}));
  app.add_option("--request-timeout", config.request_timeout,
                 "ms until a request is answered info");
  app.add_option("--seed", config.seed, "of the delays");
}

/// A sentence that says why the quorum sizes are refused; empty if they are fine.
std::string quorum_problem(const Arguments& arguments) {
  const Config& config = arguments.config;
  const int n = config.nodes, r = config.read_quorum, w = config.write_quorum;
  if (arguments.protocol != "quorum") return {};
  if (r < 1 || w < 1 || r > n || w > n) return "R and W must lie between 1 and the number of nodes";
  if (arguments.unsafe_quorum || (r + w > n && 2 * w > n)) return {};
  return "R+W must exceed N and 2W must exceed N, or reads may miss writes (--unsafe-quorum allows "
         "it)";
}

int serve(Arguments& arguments) {
  Config& config = arguments.config;
  std::filesystem::create_directories(arguments.data);
  config.incarnation = next_incarnation(arguments.data + "/incarnation");
  DurableLog log(arguments.data + "/log", {arguments.fsync == "on", arguments.disk == "volatile"});
  std::unique_ptr<Protocol> protocol = make_protocol(arguments);
  const std::size_t torn =
      log.replay([&](std::string_view record) { protocol->recover(Json::parse(record)); });
  if (torn > 0) std::fprintf(stderr, "cut %zu torn bytes off the log\n", torn);

  asio::io_context context(1);
  std::map<Peer, tcp::endpoint> peers;
  for (Peer peer = 1; peer <= config.nodes; ++peer) {
    if (peer != config.self)
      peers[peer] = parse_endpoint(arguments.peers[static_cast<std::size_t>(peer) - 1]);
  }
  Node node(context, config, std::move(protocol), log, peers);
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

}  // namespace
}  // namespace refstore

int main(int argc, char** argv) {
  using namespace refstore;
  Arguments arguments;
  CLI::App app("One node of the reference store");
  add_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  arguments.config.nodes = static_cast<int>(arguments.peers.size());
  if (arguments.config.self > arguments.config.nodes) {
    std::fprintf(stderr, "--node must be one of --peers\n");
    return 64;
  }
  if (const std::string problem = quorum_problem(arguments); !problem.empty()) {
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
