// Random bytes for salts, keys and uuids, from the kernel.
#pragma once

#include "io/bytes.h"

namespace drs {

// Fills `out` from getrandom(2). Blocks only in early boot, until the kernel is seeded. It cannot fail in a way that a
// caller could survive, so it asserts. Any thread.
void random_bytes(MutableByteView out);

}  // namespace drs
