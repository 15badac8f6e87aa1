// The table of workloads: the command line, `list` and the campaigns read it.
#include <array>

#include "base/suggest.h"
#include "workloads/workload.h"

namespace consistory {
namespace {

constexpr std::array<Workload, 9> kWorkloads = {{
    {"register", "reads and writes of unique values over a few registers", Function::write, true,
     make_register_generator},
    {"append", "unique elements appended to lists, where the order of updates is visible",
     Function::append, true, make_append_generator},
    {"cas", "reads, writes and swaps of a few registers; has to be asked for", Function::cas, false,
     make_cas_generator},
    {"delete", "writes and deletes of many registers; has to be asked for", Function::remove, false,
     make_delete_generator},
    {"set", "unique elements added to sets, and reads of them; has to be asked for, by itself",
     Function::add, false, make_set_generator},
    {"counter",
     "distinct increments of counters, and reads of them; has to be asked for, by itself",
     Function::increment, false, make_counter_generator},
    {"overtake", "scripts over fresh registers, where late updates that lose are seen to be late",
     Function::write, false, make_overtake_generator},
    {"revise", "sessions read a register, write it and read it again; has to be asked for",
     Function::write, false, make_revise_generator},
    {"transaction", "appends to and reads of several lists at once, judged by isolation levels",
     Function::append, false, make_transaction_generator, true},
}};

}  // namespace

std::span<const Workload> all_workloads() { return kWorkloads; }

Result<const Workload*> find_workload(std::string_view name) {
  std::vector<std::string> known;
  for (const Workload& workload : kWorkloads) {
    if (workload.name == name) return &workload;
    known.emplace_back(workload.name);
  }
  return usage_error(unknown_name("workload", name, known));
}

std::size_t skewed(Random& random, std::size_t count) {
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += 1.0 / static_cast<double>(i + 1);
  double left = random.unit() * total;
  for (std::size_t i = 0; i < count; ++i) {
    left -= 1.0 / static_cast<double>(i + 1);
    if (left < 0) return i;
  }
  return count - 1;
}

}  // namespace consistory
