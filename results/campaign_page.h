#pragma once
// The files of a campaign: index.html, the matrix that links the runs, and campaign.json.

#include <map>
#include <string>
#include <vector>

#include "results/run_record.h"

namespace consistory {

struct CampaignRun {
  std::string row;     ///< configuration and workload
  std::string column;  ///< faults
  std::uint64_t seed = 0;
  std::string directory;  ///< relative to the campaign's
  Overall word = Overall::inconclusive;
  int exit_code = 2;
  std::string sentence;
  std::vector<std::string> frontier;
  bool has_report = true;  ///< false: the run failed before there was anything to report
};

struct CampaignRecord {
  std::string id;
  std::string name;
  std::string file;
  int exit_code = 0;
  std::vector<CampaignRun> runs;  ///< in the order they were run
};

/// How many runs ended in each class; every class is present.
std::map<std::string, std::size_t> count_classes(const CampaignRecord& campaign);

std::string campaign_html(const CampaignRecord& campaign);
std::string campaign_json(const CampaignRecord& campaign);  ///< consistory.campaign/1

}  // namespace consistory
