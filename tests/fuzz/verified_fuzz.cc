#include "tests/engine/format/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  drs::check_canonical("verified", {data, size_bytes});
  return 0;
}
