#pragma once
// What `check` does with histories in other projects' formats.

#include <optional>
#include <string>
#include <vector>

#include "checkers/imports/import.h"

namespace consistory {

struct CheckImported {
  std::vector<std::string> models;  ///< -m and --require: isolation levels, or linearizable
  std::optional<ImportFormat> format;
  bool keyed = false;
  bool json = false;
  std::string report;  ///< empty: none
  std::uint64_t steps = 0;
  Nanos timeout_ns = 0;  ///< 0: none
};

/// The format of the file, if it is not history.jsonl. Standard input is, unless --format says
/// otherwise.
Result<std::optional<ImportFormat>> format_of(const std::string& path,
                                              const CheckImported& options);

/// Prints the verdict; the exit code.
int check_imported(const std::string& path, const TransactionHistory& history,
                   const CheckImported& options);
int check_imported(const std::string& path, const ObjectHistory& history,
                   const CheckImported& options);

}  // namespace consistory
