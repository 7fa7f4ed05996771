// The steps that actors may take in a state. Each is one read or write of the store; an actor may stop for ever, or
// sleep for any time, between any two. A read whose result no later write of others can change belongs to the step
// before it: that of a permanent record, or what an actor decides from what it knows already.
#pragma once

#include <string>
#include <vector>

#include "tests/model/state.h"

namespace drs::model {

struct Label {
  const char* actor = "";
  const char* text = "";
  const char* object = "";
  [[nodiscard]] std::string text_of() const { return std::string(actor) + text + object; }
};

struct Step {
  State next;
  Label label;
};

// Collects the steps from one state.
class Steps {
 public:
  void clear() { steps_.clear(); }
  void add(const State& next, const char* actor, const char* text, const char* object = "") {
    steps_.push_back({next, {actor, text, object}});
  }
  [[nodiscard]] const std::vector<Step>& all() const { return steps_; }

 private:
  std::vector<Step> steps_;
};

const char* pack_text(int pack);
const char* name_text(int name);
const char* index_text(int index);
const char* pruner_text(int pruner);

void push_steps(const Model& model, const State& state, int name, Steps& steps);
void resume_steps(const Model& model, const State& state, Steps& steps);
void unforget_steps(const Model& model, const State& state, Steps& steps);
void copy_steps(const Model& model, const State& state, Steps& steps);
void pruner_steps(const Model& model, const State& state, int pruner, Steps& steps);
void reader_steps(const Model& model, const State& state, Steps& steps);
void index_repair_steps(const Model& model, const State& state, Steps& steps);
void pack_repair_steps(const Model& model, const State& state, int repairer, Steps& steps);
void user_steps(const Model& model, const State& state, Steps& steps);   // forget and hold
void event_steps(const Model& model, const State& state, Steps& steps);  // damage, delays, age, housekeeping
// All of these. `asleep`: actors that take no step, as a set of bits; see actor_count().
void all_steps(const Model& model, const State& state, unsigned asleep, Steps& steps);
int actor_count();
// Whether a record reads the same at any time after it was listed.
bool records_are_fixed(const Model& model);

}  // namespace drs::model
