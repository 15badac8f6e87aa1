#pragma once
// The bugs that can be planted in the reference store (--defect NAME), what each can break, and the
// load under which it shows. Caught means: a run violates one of its weakest models, or a model
// that implies one, and nothing else.

#include <span>
#include <string>
#include <vector>

#include "harness/stores/store.h"

namespace consistory {

struct DefectCase {
  std::string name;
  std::string protocol;
  std::string what;
  std::string source;
  StoreSettings settings;
  bool moving = false;
  std::string workload;
  std::vector<std::string> faults;
  std::vector<std::string> weakest;
  std::string fault_every = {};
  std::string fault_for = {};
  std::vector<std::string> load = {};  ///< further words of `run`
  bool quick = false;                  ///< one of the few of `selftest --quick`
};

std::span<const DefectCase> all_defects();
std::vector<std::string> defect_names();

}  // namespace consistory
