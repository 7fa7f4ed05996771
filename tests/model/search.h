// Explores a model: all states, breadth first, or random walks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/packing.h"

namespace drs::model {

struct Limits {
  std::uint64_t states = 40'000'000;
  std::uint64_t memory_bytes = 3ULL << 30;
  double seconds = 600;  // of the processor
};

struct Outcome {
  const char* violation = nullptr;
  bool complete = false;  // every state was seen
  std::uint64_t states = 0;
  double seconds = 0;
  std::vector<std::string> trace;  // the steps that lead to the violation: as few as possible, after a search
};

Outcome search(const Model& model, const Limits& limits);

struct WalkLimits {
  double seconds = 60;
  std::uint64_t walks = ~0ULL;
  std::uint64_t seed = 1;
};
struct WalkOutcome {
  const char* violation = nullptr;
  std::uint64_t walks = 0, steps = 0;
  std::vector<std::string> trace;
};
// Random walks in which actors sleep for long times.
WalkOutcome walk(const Model& model, const WalkLimits& limits);

}  // namespace drs::model
