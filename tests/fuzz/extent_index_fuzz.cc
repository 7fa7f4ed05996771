#include "tests/engine/format/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  drs::check_canonical("extent_index", {data, size_bytes});
  return 0;
}
