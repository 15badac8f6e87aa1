#pragma once
// The options of `run`, in groups as the help shows them.

#include "harness/run/plan.h"

namespace CLI {
class App;
}

namespace consistory {

/// `arguments` must outlive the parse.
void add_run_options(CLI::App& app, RunArguments& arguments);

}  // namespace consistory
