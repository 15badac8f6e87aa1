// The isolation levels: what they are called, say and imply.
#include <algorithm>

#include "base/suggest.h"
#include "checkers/transactions/levels.h"

namespace consistory {
namespace {

const std::vector<LevelInfo>& table() {
  static const std::vector<LevelInfo> kLevels = {
      {Level::strict_serializable,
       "strict-serializable",
       "strong-serializable strict-1sr",
       "All transactions take effect one after the other, each between its beginning and its end.",
       "Papadimitriou 1979; Herlihy and Wing 1990",
       {Level::serializable, Level::strong_snapshot}},
      {Level::serializable,
       "serializable",
       "strong-session-serializable repeatable-read",
       "All transactions take effect one after the other, those of a session in its order.",
       "Papadimitriou 1979; Biswas and Enea 2019",
       {Level::snapshot}},
      {Level::strong_snapshot,
       "strong-snapshot-isolation",
       "strong-si",
       "Snapshot isolation in which a transaction sees all that was committed before it began.",
       "Daudjee and Salem 2006",
       {Level::snapshot}},
      {Level::snapshot,
       "snapshot-isolation",
       "si strong-session-snapshot-isolation",
       "A transaction reads one state of the whole store, and no other writes its keys meanwhile.",
       "Berenson et al. 1995; Cerone, Bernardi and Gotsman 2015",
       {Level::parallel_snapshot, Level::prefix}},
      {Level::parallel_snapshot,
       "parallel-snapshot-isolation",
       "psi",
       "Snapshot isolation in which transactions that write nothing in common may be seen in "
       "different orders.",
       "Sovran et al. 2011; Cerone, Bernardi and Gotsman 2015",
       {Level::causal}},
      {Level::prefix,
       "prefix",
       "prefix-consistency",
       "A transaction reads the state that some first part of all commits left behind.",
       "Burckhardt et al. 2015; Biswas and Enea 2019",
       {Level::causal}},
      {Level::causal,
       "transactional-causal",
       "causal tcc causal-transactions",
       "A transaction sees what its session saw, and everything on which that depends, as a whole.",
       "Akkoorath et al. 2016; Biswas and Enea 2019",
       {Level::read_atomic}},
      {Level::read_atomic,
       "read-atomic",
       "ra",
       "A transaction sees all of another's writes or none of them.",
       "Bailis et al. 2014; Biswas and Enea 2019",
       {Level::read_committed}},
      {Level::read_committed,
       "read-committed",
       "rc",
       "A transaction reads only what was committed, and what it reads does not go back.",
       "Adya 1999; Biswas and Enea 2019",
       {Level::read_uncommitted}},
      {Level::read_uncommitted,
       "read-uncommitted",
       "ru",
       "The writes of all keys have one order.",
       "Adya 1999 (PL-1)",
       {}},
  };
  return kLevels;
}

bool has_alias(const LevelInfo& info, std::string_view name) {
  return (" " + std::string(info.aliases) + " ").find(" " + std::string(name) + " ") !=
         std::string::npos;
}

}  // namespace

std::span<const LevelInfo> all_levels() { return table(); }

const LevelInfo& info_of(Level level) {
  return *std::find_if(table().begin(), table().end(),
                       [&](const LevelInfo& info) { return info.level == level; });
}

Result<const LevelInfo*> find_level(std::string_view name) {
  std::vector<std::string> names;
  for (const LevelInfo& info : table()) {
    if (info.name == name || has_alias(info, name)) return &info;
    names.emplace_back(info.name);
  }
  return usage_error(unknown_name("isolation level", name, names));
}

}  // namespace consistory
