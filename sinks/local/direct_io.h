// Whether local reads and writes ask for O_DIRECT, which bypasses the page cache.
#pragma once

#include <cstdint>

namespace drs {

enum class DirectIo : std::uint8_t {
  kOff,
  kWhereAligned,  // where memory, offset and length are multiples of kDirectAlignment, and the file system accepts it
};

}  // namespace drs
