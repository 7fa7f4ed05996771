// The model at a small size; CONTRIBUTING.md names the full run.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/model/catalog.h"
#include "tests/model/packing.h"
#include "tests/model/search.h"
#include "tests/model/steps.h"

namespace drs::model {
namespace {

constexpr std::uint64_t kStates = 400'000;  // of one search

std::string joined(const std::vector<std::string>& trace) {
  std::string text;
  for (const std::string& line : trace) text += line + "\n";
  return text;
}

std::string test_name(std::string name) {
  for (char& letter : name)
    if (letter == '-') letter = '_';
  return name;
}

}  // namespace

// For the output of a failed test.
void PrintTo(const Mutant& mutant, std::ostream* out) {
  *out << mutant.name;
}
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

namespace {

class RemovedRule : public testing::TestWithParam<Mutant> {};

TEST_P(RemovedRule, LeadsToAViolation) {
  const Mutant& mutant = GetParam();
  Outcome outcome;
  for (const std::string& name : mutant.scenarios) {
    ASSERT_NE(find_scenario(name), nullptr) << name;
    outcome = search(mutated(mutant, *find_scenario(name)), {.states = kStates});
    if (outcome.violation != nullptr) break;
  }
  EXPECT_NE(outcome.violation, nullptr);
  EXPECT_FALSE(outcome.violation != nullptr && outcome.trace.empty());
}

std::vector<Mutant> harmful_mutants() {
  std::vector<Mutant> harmful;
  for (const Mutant& mutant : mutants())
    if (mutant.expected) harmful.push_back(mutant);
  return harmful;
}

INSTANTIATE_TEST_SUITE_P(PruneModel, RemovedRule, testing::ValuesIn(harmful_mutants()),
                         [](const auto& tested) { return test_name(tested.param.name); });

class EveryScenario : public testing::TestWithParam<Scenario> {};

TEST_P(EveryScenario, ShowsNoViolationInItsFirstStates) {
  const Outcome outcome = search({{}, GetParam()}, {.states = 5'000});
  EXPECT_EQ(outcome.violation, nullptr) << joined(outcome.trace);
}

// A field that is missing in the packing would make different states look the same.
TEST_P(EveryScenario, PacksEveryStateWithoutLoss) {
  const Model model{{}, GetParam()};
  const Packing packing(model.scenario);
  std::uint64_t random = 1;
  Steps steps;
  for (int walk = 0; walk < 20; ++walk) {
    State state = initial(model.scenario);
    for (int step = 0; step < 80; ++step) {
      ASSERT_TRUE(packing.unpack(packing.pack(state).data()) == state);
      steps.clear();
      all_steps(model, state, 0, steps);
      if (steps.all().empty()) break;
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      state = State(steps.all()[(random >> 33) % steps.all().size()].next);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PruneModel, EveryScenario, testing::ValuesIn(scenarios()),
                         [](const auto& tested) { return test_name(tested.param.name); });

TEST(PruneModel, SearchesSmallScenariosToTheEnd) {
  for (const char* const name :
       {"small-push", "small-copies", "small-exclusive", "small-lost-answer", "retire", "retire-doubt",
        "unreadable-late", "unreadable-manifest", "index-push", "late-delete"}) {
    const Outcome outcome = search({{}, *find_scenario(name)}, {.states = kStates});
    EXPECT_EQ(outcome.violation, nullptr) << name << "\n" << joined(outcome.trace);
    EXPECT_TRUE(outcome.complete) << name;
  }
}

TEST(PruneModel, WalksWithManyActorsShowNoViolation) {
  for (const Scenario& scenario : walk_scenarios()) {
    const WalkOutcome outcome = walk({{}, scenario}, {.seconds = 30, .walks = 300, .seed = 1});
    EXPECT_EQ(outcome.violation, nullptr) << scenario.name << "\n" << joined(outcome.trace);
  }
}

}  // namespace
}  // namespace drs::model
