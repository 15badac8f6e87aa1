#pragma once
// Judges one history by several models: the entry point of everything that checks.
// No I/O, no randomness; the same history and options give the same judgement, unless a time limit
// or a want of memory ends it, which the verdicts then tell.

#include <optional>
#include <string>
#include <vector>

#include "checkers/models/registry.h"
#include "checkers/witness/witness.h"

namespace consistory {

struct JudgeOptions {
  std::vector<const Model*> models;  ///< empty: all
  std::uint64_t steps = kDefaultCheckSteps;
  /// For everything together, in ns; 0: none. Each search gets half of what is left of it, so that
  /// one hard model does not leave the others undecided; a fifth is kept for witnesses.
  Nanos timeout = 0;
  bool use_implications = true;  ///< skip what a stronger model that holds implies
  bool witnesses = true;         ///< minimise and explain violations
  bool split_sessions = true;    ///< also judge (client, node) pairs where sessions move
};

struct JudgedModel {
  const Model* model = nullptr;
  ModelVerdict verdict;
  std::optional<Witness> witness;
  /// The verdict with each (client, node) pair as a session; none where it is not asked.
  std::optional<Verdict> split;
};

struct Judgement {
  std::vector<JudgedModel> models;
  std::vector<GuaranteeSet>
      violated_sets;  ///< minimal ones (MODELS §3.6) that tell more than `models`
  bool sets_open = false;

  const JudgedModel* find(std::string_view name) const;
};

Judgement judge(const History& history, const JudgeOptions& options);

}  // namespace consistory
