// The scenarios and mutants that the model is run with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/model/scenario.h"

namespace drs::model {

struct Mutant {
  std::string name;
  std::vector<bool Rules::*> rules;    // switched off together: one, unless a second hides what the first does
  std::vector<std::string> scenarios;  // those in which it is looked for, in this order
  bool expected = true;                // whether a violation is known to exist
};

const std::vector<Scenario>& scenarios();  // for exhaustive search
const std::vector<Mutant>& mutants();
const Scenario* find_scenario(std::string_view name);
const Mutant* find_mutant(std::string_view name);
Model mutated(const Mutant& mutant, const Scenario& scenario);
std::vector<Scenario> walk_scenarios();  // many actors at once, for random walks

}  // namespace drs::model
