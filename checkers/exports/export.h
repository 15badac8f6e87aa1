#pragma once
// Histories in the formats of other projects' checkers, so that one history can be judged by both.
//
//   edn          Jepsen. Registers: read, write, cas, with [key value] tuples as jepsen.independent
//                has them, for Knossos. Lists: transactions of one step, for Elle.
//   jepsen-log   one register, as Porcupine's tests read it
//   plume        registers, each operation a transaction of its own, as AWDIT, Plume and PolySI
//   read
//                it: r(KEY,VALUE,SESSION,TRANSACTION) and w(…); 0 is the initial value

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "checkers/history/history.h"

namespace consistory {

enum class ExportFormat : std::uint8_t { edn, jepsen_log, plume };

std::optional<ExportFormat> export_format_named(std::string_view name);
std::vector<std::string> export_format_names();

struct ExportOptions {
  ExportFormat format = ExportFormat::edn;
  std::optional<std::string> key;  ///< this key alone, and then without tuples
};

/// The text. A usage error where the format cannot say what the history holds. Nodes, versions and
/// what a failed operation tried are left out: none of these formats has a place for them.
Result<std::string> export_history(const History& history, const ExportOptions& options);

}  // namespace consistory
