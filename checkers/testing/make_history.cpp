// make_history: prints a long history of a simulated store. For scripts that measure and for trying
// things out; the harness itself does not use it.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "checkers/testing/store_simulation.h"

int main(int argc, char** argv) {
  CLI::App app("Prints a history of a simulated store, as history.jsonl");
  std::string store = "converge";
  std::string load = "many";
  std::string planted = "nothing";
  consistory::SimulationPlan plan;
  app.add_option("--store", store, "strong | log | converge | arrival")->capture_default_str();
  app.add_option("--load", load, "many | hot | chains")->capture_default_str();
  app.add_option("--plant", planted, "A violation to plant")->capture_default_str();
  app.add_option("--operations", plan.operations)->capture_default_str();
  app.add_option("--sessions", plan.sessions)->capture_default_str();
  app.add_option("--replicas", plan.replicas)->capture_default_str()->check(CLI::Range(1, 200));
  app.add_option("--seed", plan.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto chosen_store = consistory::simulated_store_named(store);
  const auto chosen_load = consistory::simulated_load_named(load);
  const auto chosen_planted = consistory::planted_named(planted);
  for (const auto* error : {chosen_store ? nullptr : &chosen_store.error(),
                            chosen_load ? nullptr : &chosen_load.error(),
                            chosen_planted ? nullptr : &chosen_planted.error()}) {
    if (error == nullptr) continue;
    fmt::print(stderr, "make_history: {}\n", error->message);
    return 64;
  }
  plan.store = *chosen_store;
  plan.load = *chosen_load;
  plan.planted = *chosen_planted;
  consistory::simulate(plan, stdout);
}
