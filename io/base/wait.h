// Whether a call that drives asynchronous operations may block.
#pragma once

#include <cstdint>

namespace drs {

enum class Wait : std::uint8_t {
  kNo,      // collect what has completed
  kForOne,  // and, if operations are in flight but none has completed, block until one does
};

}  // namespace drs
