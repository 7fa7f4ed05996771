// Decompressor on arbitrary bytes: it must return kCorrupt or fill its output exactly, and write nothing else.
//
// Input: one byte for the codec (modulo 4, so that one value is unknown), two bytes little-endian for the length of the
// output, then the encoded bytes.
#include <cstdint>

#include "codecs/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static drs::Result<drs::Decompressor> decompressor = drs::Decompressor::make();
  drs::ByteReader reader({data, size}, "fuzz input");
  const auto codec = static_cast<drs::Codec>(reader.u8() % 4);
  drs::Bytes out(reader.u16());
  if (reader.failed()) return 0;
  const drs::Result<void> result = decompressor->decompress(codec, reader.raw(reader.remaining()), out);
  DRS_ASSERT(result.ok() || result.error().code == drs::ErrorCode::kCorrupt, "unexpected error code");
  return 0;
}
