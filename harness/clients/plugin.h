#pragma once
// A client in any language: a process that is asked by lines of JSON on its standard input and
// answers on its standard output (docs/ADAPTERS.md). It is not trusted: what it sends is bounded,
// and one that hangs, breaks the protocol or ends is killed and started again; what was under way
// is then of unknown outcome.

#include <string>
#include <vector>

#include "harness/clients/clients.h"
#include "harness/cluster/child_process.h"
#include "harness/cluster/ground.h"
#include "harness/cluster/line_pipe.h"

namespace consistory {

constexpr int kPluginProtocol = 1;

/// What a plugin says of itself.
struct PluginHello {
  std::string name;
  std::vector<std::string> functions;
  std::vector<std::string> claims;
  bool reads_locally = false;
};

/// A plugin process, for one session. Used by one thread.
class Plugin {
 public:
  /// Starts it and hears its hello; an environment or store error says what went wrong.
  static Result<std::unique_ptr<Plugin>> start(const std::vector<std::string>& command,
                                               const std::vector<Endpoint>& nodes,
                                               const std::string& log_path);

  const PluginHello& hello() const { return hello_; }
  Completion perform(const ClientRequest& request);
  bool broken() const { return broken_; }
  /// Why it is broken.
  const std::string& trouble() const { return trouble_; }

 private:
  Plugin(ChildProcess process, LinePipe pipe)
      : process_(std::move(process)), pipe_(std::move(pipe)) {}

  Status hear_hello(const std::vector<Endpoint>& nodes);
  Completion give_up(std::string why);

  ChildProcess process_;
  LinePipe pipe_;
  PluginHello hello_;
  std::int64_t last_id_ = 0;
  bool broken_ = false;
  std::string trouble_;
};

}  // namespace consistory
