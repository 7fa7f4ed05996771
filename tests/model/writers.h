// What pushes, resume, unforget and copies have in common.
#pragma once

#include "tests/model/steps.h"

namespace drs::model {

// Steps of a writer; 0 is the one before all.
enum WriterStep : std::uint8_t {
  kListRecords = 1,
  kReadRecords,
  kListPacks,
  kPutPack = 5,
  kPutIndex,
  kPutManifest = kStepBeforeCommit,
  kCheckRemoved,
  kListRetired,
  kReadRetired,
  kRemoveSession,
  kInDoubt
};

void end_writer(State& state, int name);
void store_manifest(State& state, int name, std::uint8_t holding);
bool list_steps(const Model& model, const State& state, int name, const char* actor, Steps& steps);
void check_commit(const Model& model, const State& state, int name, Steps& steps);

}  // namespace drs::model
