// The truth table against itself: names that exist, no model both guaranteed and violable, cells
// that are found by their settings, and defects that break only what is guaranteed without them.
#include "harness/stores/truth_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "checkers/models/registry.h"
#include "harness/stores/defects.h"

namespace consistory {
namespace {

std::vector<std::string> models_of(const std::vector<TruthReason>& reasons) {
  std::vector<std::string> models;
  for (const TruthReason& reason : reasons) {
    EXPECT_FALSE(reason.why.empty());
    models.insert(models.end(), reason.models.begin(), reason.models.end());
  }
  return models;
}

TEST(TruthTable, NamesExistAndNothingIsBothGuaranteedAndViolable) {
  ASSERT_GT(truth_table().size(), 100U);
  for (const TruthCell& cell : truth_table()) {
    EXPECT_FALSE(cell.source.empty()) << cell.id();
    for (const std::string& name : models_of(cell.guaranteed))
      EXPECT_TRUE(find_model(name)) << cell.id() << ": " << name;
    for (const std::string& name : models_of(cell.violable)) {
      EXPECT_TRUE(find_model(name)) << cell.id() << ": " << name;
      EXPECT_EQ(cell.truth_of(name), Truth::violable) << cell.id() << ": " << name;
    }
    for (const std::string& name : model_names()) EXPECT_FALSE(cell.why(name).empty());
  }
}

/// Nothing is left over but what a history of that cell cannot show.
TEST(TruthTable, OnlyViewsOnRegistersAndSingleGuaranteesCannotShow) {
  for (const TruthCell& cell : truth_table()) {
    for (const std::string& name : model_names()) {
      if (cell.truth_of(name) != Truth::cannot_show) continue;
      const bool view = name.ends_with("-view");
      const bool single = name == "monotonic-writes" || name == "writes-follow-reads";
      EXPECT_TRUE(!cell.lists && (view || single)) << cell.id() << ": " << name;
    }
  }
}

TEST(TruthTable, ACellIsFoundByItsSettings) {
  for (const TruthCell& cell : truth_table()) {
    const Result<ReferenceSettings> settings = complete_reference_settings(cell.settings, 3);
    ASSERT_TRUE(settings) << cell.id() << ": " << settings.error().message;
    const TruthCell* found = find_cell(*settings, cell.lists, cell.moving);
    ASSERT_NE(found, nullptr) << cell.id();
    EXPECT_EQ(found->id(), cell.id());
  }
}

TEST(TruthTable, SessionsWithoutTokensAreTheLayerBelow) {
  auto settings = complete_reference_settings(
      {{"protocol", "eventual"}, {"session", "ryw"}, {"token", "off"}}, 3);
  ASSERT_TRUE(settings);
  EXPECT_EQ(find_cell(*settings, true, true)->name, "eventual");
}

TEST(Implication, OfSetsIsThatOfTheirMembers) {
  EXPECT_TRUE(implies("causal-convergence", "monotonic-reads+writes-follow-reads"));
  EXPECT_TRUE(implies("sessions", "monotonic-reads+monotonic-writes"));
  EXPECT_FALSE(implies("sessions", "writes-follow-reads"));
  EXPECT_FALSE(implies("causal-convergence", "linearizable"));
  EXPECT_FALSE(implies("causal", "monotonic-reads"));
  EXPECT_TRUE(implies("linearizable", "monotonic-reads-view"));
}

TEST(Defects, BreakOnlyWhatIsGuaranteedWithoutThem) {
  ASSERT_GE(all_defects().size(), 24U);
  for (const DefectCase& defect : all_defects()) {
    const auto settings = complete_reference_settings(defect.settings, 3);
    ASSERT_TRUE(settings) << defect.name << ": " << settings.error().message;
    const TruthCell* cell = find_cell(*settings, defect.workload == "append", defect.moving);
    ASSERT_NE(cell, nullptr) << defect.name;
    EXPECT_FALSE(defect.weakest.empty()) << defect.name;
    EXPECT_FALSE(defect.source.empty()) << defect.name;
    for (const std::string& model : defect.weakest)
      EXPECT_EQ(cell->truth_of(model), Truth::guaranteed) << defect.name << ": " << model;
  }
}

TEST(ReferenceSettings, AreCheckedTogether) {
  EXPECT_FALSE(complete_reference_settings({{"protocol", "raft"}, {"session", "mr"}}, 3));
  EXPECT_FALSE(complete_reference_settings({{"protocol", "primary"}, {"lww", "wall"}}, 3));
  EXPECT_FALSE(complete_reference_settings({{"session", "mr"}}, 3));
  EXPECT_FALSE(
      complete_reference_settings({{"protocol", "local-writes"}, {"propagation", "majority"}}, 3));
  EXPECT_TRUE(complete_reference_settings(
      {{"propagation", "async"}, {"read-from", "local"}, {"session", "ryw,mr"}}, 3));
}

}  // namespace
}  // namespace consistory
