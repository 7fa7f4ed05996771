// What the trailers of segment streams and catalogues share: the magic with its version, and the check of the bytes
// that a trailer describes.
#pragma once

#include <string_view>

#include "codecs/xxh3.h"
#include "engine/format/corrupt.h"
#include "io/base/bytes.h"

namespace drs {

// The first 8 bytes of a trailer: seven that are the same in all versions, and the version.
struct TrailerMagic {
  std::string_view text;
  std::uint8_t version = 0;

  void write(ByteWriter& writer) const {
    writer.raw(as_bytes(text));
    writer.u8(version);
  }
  // Errors: kTruncated, kCorrupt, kFormatTooNew (a version that is greater).
  Result<void> read(ByteReader& reader, std::string_view what) const {
    const std::string_view got_text = as_text(reader.raw(text.size()));
    const std::uint8_t got_version = reader.u8();
    DRS_RETURN_IF_ERROR(reader.check());
    if (got_text != text) return corrupt(what, ": wrong magic");
    if (got_version == 0) return corrupt(what, ": its version is 0");
    if (got_version > version) return too_new(what, ": its version is ", got_version, ", known is ", version);
    return {};
  }
};

// Checks that a trailer of `trailer_bytes` states its own place in a stream of `stream_bytes`. Errors: kCorrupt.
inline Result<void> check_trailer_place(std::uint64_t stated, std::uint64_t stream_bytes, std::uint64_t trailer_bytes,
                                        std::string_view what) {
  if (stream_bytes >= trailer_bytes && stated == stream_bytes - trailer_bytes) return {};
  return corrupt(what, ": it states the place ", stated, " in a stream of ", stream_bytes, " bytes");
}

// Checks the length and the checksum of the bytes that a trailer describes. Errors: kTruncated, kCorrupt.
inline Result<void> check_trailed(ByteView bytes, std::uint64_t expected_bytes, const Xxh3Digest& expected,
                                  std::string_view what) {
  if (bytes.size() < expected_bytes)
    return Error(ErrorCode::kTruncated, std::string(what) + ": " + std::to_string(bytes.size()) + " of " +
                                            std::to_string(expected_bytes) + " bytes");
  if (bytes.size() > expected_bytes) return corrupt(what, ": ", bytes.size() - expected_bytes, " bytes are left over");
  if (xxh3_128(bytes) != expected) return corrupt(what, ": its XXH3 differs from the one in its trailer");
  return {};
}

}  // namespace drs
