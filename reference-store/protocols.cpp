// Which protocol and layers a configuration names.
#include "reference-store/sessions.h"
#include "reference-store/sharded.h"

namespace refstore {
namespace {

std::unique_ptr<Protocol> make_bare(const Config& config) {
  if (config.protocol == "local-writes") return make_local_writes(config);
  if (config.protocol == "quorum") return make_quorum(config);
  if (config.protocol == "eventual") return make_eventual(config);
  if (config.protocol == "causal") return make_causal(config);
  if (config.protocol == "raft") return make_raft(config);
  return config.primary == "per-key" ? make_per_key_primaries(config) : make_primary(config);
}

}  // namespace

std::unique_ptr<Protocol> make_protocol(const Config& config) {
  std::unique_ptr<Protocol> protocol = make_bare(config);
  return config.session.empty() ? std::move(protocol) : make_sessions(config, std::move(protocol));
}

}  // namespace refstore
