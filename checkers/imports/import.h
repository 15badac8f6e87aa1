#pragma once
// Histories that other projects recorded, in their own formats. What is in a file decides what it
// becomes: operations on registers and lists (every model), calls of other objects
// (linearizability), or transactions (isolation levels).
//
//   edn, json, jepsen-log   Jepsen, Knossos, Elle, Porcupine (imports/jepsen.h)
//   awdit                   r KEY VALUE and w KEY VALUE; ----- ends a transaction, ===== a session
//   plume                   r(KEY,VALUE,SESSION,TRANSACTION) and w(…): AWDIT, Plume, PolySI
//   object-log              "# queue", then METHOD VALUE START END or SESSION START END METHOD
//   VALUE
//                           (the logs of fastlin and fptlin)

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "checkers/history/history.h"
#include "checkers/objects/object_history.h"
#include "checkers/transactions/transaction.h"

namespace consistory {

enum class ImportFormat : std::uint8_t { edn, json, jepsen_log, awdit, plume, object_log };

std::string_view name_of(ImportFormat format);
std::optional<ImportFormat> import_format_named(std::string_view name);
std::vector<std::string> import_format_names();

struct ImportOptions {
  std::optional<ImportFormat> format;  ///< none: as the first bytes and the name suggest
  bool keyed = false;  ///< values are [key value] tuples, as jepsen.independent writes them
};

using Imported = std::variant<History, ObjectHistory, TransactionHistory>;

/// Does this look like one of the formats above? None: it should be history.jsonl.
std::optional<ImportFormat> foreign_format(std::string_view name, std::string_view beginning);

/// Errors are usage errors that tell the line.
Result<Imported> import_history(std::string_view content, const std::string& source,
                                const ImportOptions& options);

}  // namespace consistory
