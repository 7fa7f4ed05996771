// Inputs for the decoders of decoders.h: good ones made of the golden repository, and bad ones made of those.
#pragma once

#include <map>
#include <string>

#include "io/bytes.h"

namespace drs::golden {

// By "<decoder>/<what>". Made without a compressor, so the same everywhere.
std::map<std::string, Bytes> well_formed_inputs();

// By "<decoder>__<what>__<error code>.bin": tests/golden/malformed/ holds them.
std::map<std::string, Bytes> malformed_inputs();

}  // namespace drs::golden
