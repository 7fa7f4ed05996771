#include "engine/format/topic_catalogue.h"
#include "tests/engine/format/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  drs::check_canonical_with_checksum("catalogue", {data, size_bytes}, drs::kCatalogueTrailerBytes);
  return 0;
}
