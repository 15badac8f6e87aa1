// Every litmus case, every model: the verdict must be the expected one, computed without shortcuts
// through implications; and every violation must come with a witness that is itself violating.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "checkers/history/litmus.h"
#include "checkers/judge.h"

namespace consistory {
namespace {

const std::string kFolder = std::string(CONSISTORY_SOURCE_DIR) + "/checkers/testdata/litmus/";

Verdict expected_verdict(const std::string& word) {
  if (word == "valid") return Verdict::holds;
  return word == "invalid" ? Verdict::violated : Verdict::not_checked;
}

std::vector<LitmusCase> read_cases(const std::string& path) {
  std::vector<LitmusCase> cases;
  std::ifstream file(path);
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    auto parsed = parse_litmus_line(line, path + ":" + std::to_string(++number));
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    if (parsed) cases.push_back(std::move(*parsed));
  }
  return cases;
}

void expect_lattice(const Judgement& judgement, const std::string& id) {
  for (const JudgedModel& stronger : judgement.models) {
    if (stronger.verdict.verdict != Verdict::holds) continue;
    for (const std::string_view name : implied_by(stronger.model->name)) {
      EXPECT_EQ(judgement.find(name)->verdict.verdict, Verdict::holds)
          << id << ": " << stronger.model->name << " holds and " << name << " does not";
    }
  }
}

void expect_case(const LitmusCase& litmus) {
  JudgeOptions options;
  options.use_implications = false;
  const Judgement judgement = judge(litmus.history, options);
  for (const JudgedModel& judged : judgement.models) {
    const std::string column(judged.model->oracle);
    EXPECT_EQ(name_of(judged.verdict.verdict), name_of(expected_verdict(litmus.expect.at(column))))
        << litmus.id << " " << judged.model->name;
    if (judged.split && litmus.expect_split.contains(column)) {
      EXPECT_EQ(name_of(*judged.split), name_of(expected_verdict(litmus.expect_split.at(column))))
          << litmus.id << " split " << judged.model->name;
    }
    if (judged.verdict.verdict != Verdict::violated) continue;
    Budget budget(kDefaultCheckSteps);
    ASSERT_TRUE(judged.witness) << litmus.id << " " << judged.model->name;
    EXPECT_EQ(judged.model->judge(judged.witness->history, budget).verdict, Verdict::violated);
    EXPECT_EQ(judged.witness->recheck, OracleAnswer::violated) << litmus.id;
    EXPECT_TRUE(judged.witness->minimal) << litmus.id << " " << judged.model->name;
    EXPECT_FALSE(headline(*judged.witness, *judged.model).empty());
  }
  std::set<std::string> sets;
  for (const GuaranteeSet set : judgement.violated_sets) sets.insert(short_name_of(set));
  const std::set<std::string> expected(litmus.expect_violated_sets.begin(),
                                       litmus.expect_violated_sets.end());
  EXPECT_EQ(sets, expected) << litmus.id;
  expect_lattice(judgement, litmus.id);
}

class Litmus : public testing::TestWithParam<std::string> {};

TEST_P(Litmus, EveryVerdictIsTheExpectedOne) {
  const std::vector<LitmusCase> cases = read_cases(kFolder + GetParam());
  ASSERT_FALSE(cases.empty());
  for (const LitmusCase& litmus : cases) expect_case(litmus);
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".jsonl") names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, Litmus, testing::ValuesIn(files()), [](const auto& file) {
  std::string name = file.param.substr(0, file.param.find('.'));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace consistory
