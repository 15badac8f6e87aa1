#pragma once
// The rows of the truth table, as they are written down (truth_rows.cpp).

#include <vector>

#include "harness/stores/truth_table.h"

namespace consistory {

/// Which sessions and keys a class speaks of; one of each kind at least.
constexpr unsigned kPinned = 1, kMoving = 2, kRegisters = 4, kLists = 8;
constexpr unsigned kAnySession = kPinned | kMoving, kAnyKey = kRegisters | kLists;

struct TruthClass {
  unsigned where = 0;
  std::vector<TruthReason> guaranteed;
  std::vector<TruthReason> violable;
};

struct TruthRow {
  std::string name;
  StoreSettings settings;
  std::string source;
  std::vector<std::string> faults;
  std::vector<std::string> load;  ///< words of `run` under which weaknesses show
  std::vector<TruthClass> classes;
  std::string on_registers = "register";  ///< the workload of cells of registers
  std::vector<std::string> in_turn = {};  ///< another load, for every second seed; empty: none
};

const std::vector<TruthRow>& truth_rows();

}  // namespace consistory
