#include "harness/run/site.h"

#include <cctype>
#include <filesystem>

#include "harness/sandbox/enter.h"

namespace consistory {
namespace {

constexpr const char* kShownAt = "/media";

}  // namespace

Result<std::unique_ptr<Site>> Site::open(const RunPlan& plan, const RunDirectory& directory) {
  std::unique_ptr<Site> site(new Site(plan, directory));
  if (Status started = site->start(); !started) return started.error();
  return site;
}

Status Site::start() {
  Result<std::unique_ptr<Ground>> ground = make_ground();
  if (!ground) return ground.error();
  if (plan_.pcap) {
    if (Status captured = (*ground)->capture(directory_.file("network.pcap")); !captured)
      return captured;
  }
  if (Status open = open_data_to_others(); !open) return open;
  Result<std::unique_ptr<Cluster>> cluster =
      Cluster::start(*plan_.store, std::move(*ground), cluster_options());
  if (!cluster) return cluster.error();
  cluster_ = std::move(*cluster);
  return Done{};
}

void Site::close(bool keep_data) {
  cluster_.reset();
  std::error_code ignored;
  if (!keep_data) std::filesystem::remove_all(directory_.file("data"), ignored);
}

ClusterOptions Site::cluster_options() const {
  ClusterOptions options;
  options.nodes = plan_.nodes;
  options.data_directory = data_is_shown_elsewhere() ? kShownAt : directory_.file("data");
  options.log_directory = directory_.file("logs");
  options.seed = plan_.seed;
  options.own_disks = plan_.own_disks();
  options.attached = !plan_.endpoints.empty();
  return options;
}

bool Site::data_is_shown_elsewhere() const {
  return plan_.ground == GroundChoice::sandbox && plan_.store->runs_as_another_user();
}

Status Site::open_data_to_others() const {
  if (!data_is_shown_elsewhere()) return Done{};
  std::error_code ignored;
  std::filesystem::create_directories(directory_.file("data"), ignored);
  return show_at(directory_.file("data"), kShownAt);
}

Result<std::unique_ptr<Ground>> Site::make_ground() const {
  if (plan_.ground == GroundChoice::attached) return make_attached_ground(plan_.endpoints);
  if (plan_.ground == GroundChoice::hosts)
    return make_hosts_ground({plan_.hosts, plan_.endpoints, table_name(), plan_.restart},
                             directory_.file("logs"));
  if (plan_.ground == GroundChoice::sandbox)
    return make_sandbox_ground(plan_.nodes, Random(plan_.seed).fork("network"));
  return make_relay_ground(plan_.nodes, {plan_.relay_clients(), plan_.port_base});
}

/// Of a letter, digits and underscores.
std::string Site::table_name() const {
  std::string name = "consistory_" + directory_.id();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

}  // namespace consistory
