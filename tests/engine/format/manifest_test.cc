#include "engine/format/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

TEST(Manifest, RoundTrips) {
  EXPECT_TRUE(
      rc::check([](const std::string& stream, const std::string& text, std::uint64_t number, std::int32_t status,
                   const std::vector<std::uint16_t>& parts, const std::map<std::string, std::string>& tags) {
        Manifest manifest = golden::manifest(golden::fixed_digest("config"));
        manifest.stream = stream;
        manifest.stderr_tail = text;
        manifest.chunk_count = number;
        manifest.snapshot_ns = -static_cast<std::int64_t>(number >> 1);
        manifest.exit_status = status;
        if (status > 0) manifest.sha256.reset();
        manifest.parts.clear();
        manifest.bytes = 0;
        for (const std::uint16_t part : parts) {
          manifest.parts.push_back({.block = {.session = manifest.session, .counter = part},
                                    .stream_offset_bytes = manifest.bytes,
                                    .stream_bytes = part + 1ULL});
          manifest.bytes += part + 1ULL;
        }
        manifest.tags = tags;
        const auto decoded = decode_manifest(encode_manifest(manifest));
        RC_ASSERT(decoded.ok());
        RC_ASSERT(*decoded == manifest);
      }));
}

TEST(Manifest, RefusesWhatContradictsItself) {
  const std::function<void(Manifest&)> changes[] = {
      [](Manifest& m) { m.sequence = 0; },
      [](Manifest& m) { m.predecessor_name.clear(); },
      [](Manifest& m) { m.predecessor_digest = {}; },
      [](Manifest& m) { m.producer = static_cast<ProducerKind>(3); },
      [](Manifest& m) { m.bytes += 1; },
      [](Manifest& m) { m.bytes -= 1; },
      [](Manifest& m) { m.parts.clear(); },
      [](Manifest& m) { m.parts[0].stream_offset_bytes = 1; },
      [](Manifest& m) { m.parts[0].stream_bytes = ~std::uint64_t{0}; },
      [](Manifest& m) { m.parts.push_back({.block = {}, .stream_offset_bytes = m.bytes, .stream_bytes = 0}); },
  };
  for (const auto& change : changes) {
    Manifest manifest = golden::manifest(golden::fixed_digest("config"));
    change(manifest);
    const auto decoded = decode_manifest(encode_manifest(manifest));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt) << decoded.error().message;
  }
}

}  // namespace
}  // namespace drs
