#include "tests/model/catalog.h"

namespace drs::model {

const Scenario* find_scenario(std::string_view name) {
  for (const Scenario& scenario : scenarios())
    if (scenario.name == name) return &scenario;
  return nullptr;
}

const Mutant* find_mutant(std::string_view name) {
  for (const Mutant& mutant : mutants())
    if (mutant.name == name) return &mutant;
  return nullptr;
}

Model mutated(const Mutant& mutant, const Scenario& scenario) {
  Model model{{}, scenario};
  for (bool Rules::*const rule : mutant.rules) model.rules.*rule = false;
  return model;
}

}  // namespace drs::model
