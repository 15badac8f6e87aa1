#pragma once
// The settings of the reference store: their names, values and what they mean. The command line,
// `list` and the campaigns read this table; reference-store/PROTOCOL.md says more.

#include <map>
#include <string>
#include <vector>

#include "harness/stores/settings.h"

namespace consistory {

/// Every setting by name, with its fallback where none was given.
using ReferenceSettings = std::map<std::string, std::string>;

const std::vector<StoreSetting>& reference_store_settings();

/// A usage error names the setting that is wrong, or those that do not go together.
Result<ReferenceSettings> complete_reference_settings(const StoreSettings& given,
                                                      std::size_t nodes);

/// "quorum, R=2 W=2": the protocol and what of its settings matters.
std::string describe(const ReferenceSettings& settings);

}  // namespace consistory
