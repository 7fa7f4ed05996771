// The body of a put, which lies in pieces.
#pragma once

#include <cstddef>

#include "io/bytes.h"
#include "sinks/object_store.h"

namespace drs {

std::size_t body_bytes(const PutOperation& operation);
// Whether `read` is what the body holds from `at` on.
bool body_matches(const PutOperation& operation, std::size_t at, ByteView read);

}  // namespace drs
