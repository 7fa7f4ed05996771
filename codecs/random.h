// Random bytes for salts, keys and uuids, from the kernel.
#pragma once

#include "io/base/bytes.h"

namespace drs {

// Fills `out` from getrandom(2). Blocks only in early boot, until the kernel is seeded. A failure is not recoverable,
// so it fails an assertion. Thread-safe.
void random_bytes(MutableByteView out);

}  // namespace drs
