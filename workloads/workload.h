#pragma once
// Workloads: what clients do. A generator proposes one invocation at a time; all its randomness
// comes from the Random it is given.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "checkers/history/event.h"

namespace consistory {

/// One access of a transaction to a list.
struct TransactionStep {
  bool appends = false;  ///< else it reads
  std::string key;
  Value value;
};

struct Invocation {
  Function function = Function::read;
  std::string key;
  Value value;
  Value expected = {};                      ///< cas: the value it expects
  bool list = false;                        ///< the key is a list; the load fills this in
  bool set = false;                         ///< the key is a set, and so on
  bool counter = false;
  std::vector<TransactionStep> steps = {};  ///< not empty: a transaction, and nothing else counts
};

struct WorkloadOptions {
  std::size_t keys = 5;              ///< contended at any one time
  double read_ratio = 0.5;           ///< share of reads
  std::size_t list_length_max = 40;  ///< append: a list that long is retired for a fresh one
  bool one_object = false;           ///< the store has no keys: nothing is ever retired
};

/// Single-threaded. Proposals never run out.
class Generator {
 public:
  virtual ~Generator() = default;
  /// What the session, counted from 0, does next.
  virtual Invocation next(std::size_t session, Random& random) = 0;
  /// Every key that was updated: what the final reads must cover.
  virtual std::vector<std::string> keys() const = 0;
};

/// A row of the table of workloads.
struct Workload {
  std::string_view name;
  std::string_view summary;
  Function needs = Function::write;  ///< that the store can do
  bool by_default = true;            ///< runs when nobody names a workload
  std::unique_ptr<Generator> (*make)(const WorkloadOptions& options);

  bool transactions = false;  ///< judged by isolation levels, and alone

  bool lists() const { return needs == Function::append; }  ///< else registers, or these:
  bool sets() const { return needs == Function::add; }
  bool counters() const { return needs == Function::increment; }
  /// Judged by rules of their own, and so not beside registers and lists.
  bool additions() const { return sets() || counters(); }
};

std::span<const Workload> all_workloads();
Result<const Workload*> find_workload(std::string_view name);

std::unique_ptr<Generator> make_register_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_cas_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_delete_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_append_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_set_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_counter_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_transaction_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_overtake_generator(const WorkloadOptions& options);
std::unique_ptr<Generator> make_revise_generator(const WorkloadOptions& options);

/// Low indices more often than high ones (weight 1/(i+1)), so that some keys are contended whatever
/// the number of keys.
std::size_t skewed(Random& random, std::size_t count);

}  // namespace consistory
