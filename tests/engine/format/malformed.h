// Inputs for the decoders of decoders.h: valid ones from the golden repository, and malformed ones derived from them.
#pragma once

#include <map>
#include <string>

#include "io/base/bytes.h"

namespace drs::golden {

// Keyed by "<decoder>/<what>". Built without a compressor, so the same on every machine.
std::map<std::string, Bytes> well_formed_inputs();

// Keyed by "<decoder>__<what>__<error code>.bin", the file names in tests/golden/malformed/.
std::map<std::string, Bytes> malformed_inputs();

}  // namespace drs::golden
