// The inputs of malformed.h for records of sweeps.
#pragma once

#include "tests/engine/format/malformed_topics.h"

namespace drs::golden {

std::map<std::string, Bytes> well_formed_proving_inputs();
void add_malformed_proving_inputs(const std::map<std::string, Bytes>& good, const AddInput& add);

}  // namespace drs::golden
