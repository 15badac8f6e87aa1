#pragma once
// Campaigns: a TOML file that names configurations, workloads, faults and seeds; every combination
// is one run. Strict: an unknown key is an error with its line, column and a suggestion.

#include <string>
#include <vector>

#include "harness/run/plan.h"
#include "results/campaign_page.h"

namespace consistory {

struct CampaignCell {
  std::string row;     ///< configuration (and workload, if there are several)
  std::string column;  ///< faults
  std::uint64_t seed = 0;
  RunArguments arguments;
};

struct Campaign {
  std::string name;
  std::string file;
  std::vector<CampaignCell> cells;
};

/// Reads and checks the whole file; every cell's arguments make a valid plan.
Result<Campaign> read_campaign(const std::string& path);

struct CampaignResult {
  CampaignRecord record;
  std::string directory;
};

/// Does some run of it stand in the sandbox? Then it is to be entered before any of them.
bool needs_sandbox(const Campaign& campaign);

/// Runs the cells one after the other; a failed run does not stop the rest, an interrupt does.
Result<CampaignResult> perform_campaign(const Campaign& campaign, const std::string& out,
                                        bool quiet);

}  // namespace consistory
