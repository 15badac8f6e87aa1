#pragma once
// What every kind of run writes down of itself: its plan, and what the nemesis did.

#include "harness/run/plan.h"
#include "nemesis/nemesis.h"
#include "results/run_directory.h"
#include "results/run_record.h"

namespace consistory {

/// A mark for the history, of an event at that time of the run.
Mark mark_of(const FaultEvent& event, Nanos time);

/// A record of a run that is about to begin.
RunRecord begin_record(const RunPlan& plan, const RunDirectory& directory);

}  // namespace consistory
