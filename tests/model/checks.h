// What must hold in every state.
#pragma once

#include "tests/model/packing.h"
#include "tests/model/steps.h"

namespace drs::model {

// Returns what is wrong with the state, or nullptr.
const char* violation(const Model& model, const State& state);
// Whether a new prune, with every other actor stopped, deletes the condemned packs that no snapshot needs. To be called
// when no prune runs. Returns what is wrong, or nullptr.
const char* never_finishes(const Model& model, const State& state);
// Maps states that differ only in what no step looks at any more to one.
void canonicalize(const Model& model, State& state);

}  // namespace drs::model
