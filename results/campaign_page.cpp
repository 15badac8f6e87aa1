#include "results/campaign_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "results/html.h"

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> in_order(const CampaignRecord& campaign,
                                  std::string CampaignRun::*member) {
  std::vector<std::string> names;
  for (const CampaignRun& run : campaign.runs) {
    if (std::find(names.begin(), names.end(), run.*member) == names.end())
      names.push_back(run.*member);
  }
  return names;
}

void cell(Html& html, const CampaignRecord& campaign, const std::string& row,
          const std::string& column) {
  html.raw("<td>");
  for (const CampaignRun& run : campaign.runs) {
    if (run.row != row || run.column != column) continue;
    const std::string_view word = name_of(run.word);
    html.raw("<div class=\"").raw(word).raw("\">").raw(sign_of(word)).raw(" <a href=\"");
    html.text(run.directory + (run.has_report ? "/report.html" : "/run.json"))
        .raw("\">")
        .text(fmt::format("{}, seed {}", word, run.seed))
        .raw("</a>");
    if (!run.frontier.empty()) html.text(fmt::format(": {}", fmt::join(run.frontier, ", ")));
    html.text(fmt::format(" (exit {})", run.exit_code)).raw("</div>");
  }
  html.raw("</td>");
}

}  // namespace

std::map<std::string, std::size_t> count_classes(const CampaignRecord& campaign) {
  std::map<std::string, std::size_t> counts;
  for (const Overall word : {Overall::holds, Overall::violated, Overall::inconclusive,
                             Overall::store_failed, Overall::environment, Overall::interrupted}) {
    counts[std::string(name_of(word))] = 0;
  }
  for (const CampaignRun& run : campaign.runs) ++counts[std::string(name_of(run.word))];
  return counts;
}

std::string campaign_html(const CampaignRecord& campaign) {
  Html html;
  html.raw("<h1>")
      .text(fmt::format("Campaign {}: exit {}", campaign.name, campaign.exit_code))
      .raw("</h1><p>");
  for (const auto& [word, count] : count_classes(campaign)) {
    html.raw("<span class=\"")
        .raw(word)
        .raw("\">")
        .text(fmt::format("{} {}", count, word))
        .raw("</span> ");
  }
  html.raw(
      "</p><p class=\"how\">A row is a configuration and a workload, a column a mix of faults, a "
      "line in a "
      "cell a run: its verdict and the weakest models that it broke. An exit of 0 beside "
      "“violated” "
      "means that the violation was expected.</p><div "
      "class=\"scroll\"><table><thead><tr><th></th>");
  const std::vector<std::string> columns = in_order(campaign, &CampaignRun::column);
  for (const std::string& column : columns) html.element("th scope=\"col\"", column);
  html.raw("</tr></thead><tbody>");
  for (const std::string& row : in_order(campaign, &CampaignRun::row)) {
    html.raw("<tr>").element("th scope=\"row\"", row);
    for (const std::string& column : columns) cell(html, campaign, row, column);
    html.raw("</tr>");
  }
  html.raw("</tbody></table></div>");
  return html_page("Campaign " + campaign.name, html.take());
}

std::string campaign_json(const CampaignRecord& campaign) {
  Json runs = Json::array();
  for (const CampaignRun& run : campaign.runs) {
    runs.push_back({{"configuration", run.row},
                    {"faults", run.column},
                    {"seed", run.seed},
                    {"directory", run.directory},
                    {"overall", name_of(run.word)},
                    {"exit", run.exit_code},
                    {"sentence", run.sentence},
                    {"frontier", run.frontier}});
  }
  const Json json{{"schema", "consistory.campaign/1"},
                  {"id", campaign.id},
                  {"name", campaign.name},
                  {"file", campaign.file},
                  {"exit", campaign.exit_code},
                  {"counts", count_classes(campaign)},
                  {"runs", std::move(runs)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace consistory
