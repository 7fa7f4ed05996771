// The inputs of malformed.h for archives of topics.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "io/base/bytes.h"

namespace drs::golden {

// Takes a name without its ending.
using AddInput = std::function<void(const std::string& what, Bytes bytes)>;

std::map<std::string, Bytes> well_formed_topic_inputs();
void add_malformed_topic_inputs(const std::map<std::string, Bytes>& good, const AddInput& add);

}  // namespace drs::golden
