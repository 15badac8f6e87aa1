#pragma once
// What a selftest keeps of each cell and defect, so that a later call goes on where it ended. A
// file counts only for the options, the load and the theory under which it was made.

#include "harness/run/selftest.h"

namespace consistory {

/// `blank`: the cell as it would be begun now.
std::optional<CellResult> read_cell(const std::string& place, const CellResult& blank,
                                    const SelftestOptions& options);
Status write_cell(const std::string& place, const CellResult& result,
                  const SelftestOptions& options);
std::optional<DefectResult> read_defect(const std::string& place, const DefectResult& blank,
                                        const SelftestOptions& options);
Status write_defect(const std::string& place, const DefectResult& result,
                    const SelftestOptions& options);

}  // namespace consistory
