// The table of stores: the command line, `list` and the campaigns read it.
#include <array>

#include "base/suggest.h"
#include "harness/stores/store.h"

namespace consistory {
namespace {

constexpr std::array<StoreKind, 1> kStores = {{
    {"ref", "the bundled reference store (consistory list protocols)", reference_store_settings,
     make_reference_store},
}};

}  // namespace

std::span<const StoreKind> all_stores() { return kStores; }

Result<const StoreKind*> find_store(std::string_view name) {
  std::vector<std::string> known;
  for (const StoreKind& store : kStores) {
    if (store.name == name) return &store;
    known.emplace_back(store.name);
  }
  return usage_error(unknown_name("store", name, known));
}

}  // namespace consistory
