#include "tests/engine/format/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  if (size_bytes < 3) return 0;
  const std::size_t name_bytes = data[1] | std::size_t{data[2]} << 8;  // decoders.h: kind, name, object
  drs::check_canonical_with_digest("document", {data, size_bytes}, 3 + name_bytes);
  return 0;
}
