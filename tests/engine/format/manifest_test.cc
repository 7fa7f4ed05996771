#include "engine/format/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "engine/format/document.h"
#include "engine/format/names.h"
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
        manifest.snapshot_ns = -static_cast<std::int64_t>(number >> 1);
        manifest.exit_status = status;
        ManifestStream only = manifest.streams.front();
        only.chunk_count = number;
        if (status > 0) only.sha256.reset();
        only.parts.clear();
        only.bytes = 0;
        for (const std::uint16_t part : parts) {
          only.parts.push_back({.block = {.session = manifest.session, .counter = part},
                                .stream_offset_bytes = only.bytes,
                                .stream_bytes = part + 1ULL});
          only.bytes += part + 1ULL;
        }
        manifest.set_stream(std::move(only));
        manifest.tags = tags;
        const auto encoded = encode_manifest(manifest);
        RC_ASSERT(encoded.ok());
        const auto decoded = decode_manifest(*encoded);
        RC_ASSERT(decoded.ok());
        RC_ASSERT(*decoded == manifest);
      }));
}

TEST(Manifest, RefusesWhatContradictsItself) {
  const std::function<void(Manifest&)> changes[] = {
      [](Manifest& m) { m.sequence = 0; },
      [](Manifest& m) { m.predecessor_name.clear(); },
      [](Manifest& m) { m.predecessor_digest = {}; },
      [](Manifest& m) { m.predecessor_name = slot_name(m.session); },
      [](Manifest& m) { m.bytes += 1; },
      [](Manifest& m) { m.bytes -= 1; },
      [](Manifest& m) { m.chunk_count += 1; },
      [](Manifest& m) { m.chunk_count -= 1; },
      [](Manifest& m) { m.bytes = m.streams[0].bytes += 1; },
      [](Manifest& m) { m.bytes = m.streams[0].bytes -= 1; },
      [](Manifest& m) { m.streams[0].parts.clear(); },
      [](Manifest& m) { m.streams[0].parts[0].stream_offset_bytes = 1; },
      [](Manifest& m) { m.streams[0].parts[0].stream_bytes = ~std::uint64_t{0}; },
      [](Manifest& m) {
        m.streams[0].parts.push_back({{}, m.bytes, 0});
      },
      [](Manifest& m) { m.streams[0].label = "a"; },
      [](Manifest& m) { m.streams.clear(); },
      [](Manifest& m) { m.streams.push_back({}); },
      [](Manifest& m) { m.unreadable.push_back(m.unreadable[0]); },
      [](Manifest& m) { m.unreadable[0].name = "manifests/1"; },
      // The sum of two streams' bytes overflows.
      [](Manifest& m) {
        m.content = ManifestContent::kTopics;
        m.streams.push_back({.label = "a",
                             .session = {},
                             .bytes = 0 - m.bytes,
                             .sha256 = {},
                             .xxh3 = {},
                             .chunk_count = 0,
                             .parts = {{{}, 0, 0 - m.bytes}}});
        m.bytes = 0;
      },
  };
  for (const auto& change : changes) {
    Manifest manifest = golden::manifest(golden::fixed_digest("config"));
    change(manifest);
    const auto decoded = decode_manifest(*encode_manifest(manifest));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt) << decoded.error().message;
  }
}

TEST(Manifest, OfAnUnknownProducerOrContentIsTooNew) {
  const auto code = [](const Manifest& manifest) {
    const auto decoded = decode_manifest(*encode_manifest(manifest));
    return decoded.ok() ? "ok" : std::string(error_code_name(decoded.error().code));
  };
  for (unsigned value = 0; value <= 255; ++value) {
    Manifest manifest = golden::topics_manifest();
    manifest.producer = static_cast<ProducerKind>(value);
    EXPECT_EQ(code(manifest), value <= 3 ? "ok" : "format-too-new") << value;
    if (value == 0) continue;  // content 0 has one stream, without a label
    manifest = golden::topics_manifest();
    manifest.content = static_cast<ManifestContent>(value);
    EXPECT_EQ(code(manifest), value <= 2 ? "ok" : "format-too-new") << value;
  }
}

TEST(Manifest, WithEveryFieldAtItsBoundFitsADocumentAndOneMoreIsRefusedWithoutAnAbort) {
  Manifest full = golden::topics_manifest();
  full.stream.assign(kManifestStreamBytesMax, 's');
  full.predecessor_name = manifest_name(StreamTag{}, full.session);
  full.predecessor_digest.data[0] = 1;
  full.host.assign(kManifestHostBytesMax, 'h');
  full.tool_version.assign(kManifestToolBytesMax, 't');
  full.command.assign(kManifestCommandBytesMax, 'c');
  full.stderr_tail.assign(kManifestStderrBytesMax, 'e');
  full.trailer_pattern.assign(kManifestTrailerBytesMax, 'p');
  for (std::size_t i = 0; i < kManifestUnreadableMax; ++i) {
    Uuid session;
    session.data[0] = static_cast<Byte>(i >> 8);
    session.data[1] = static_cast<Byte>(i);
    full.unreadable.push_back({manifest_name(StreamTag{}, session), {}});
  }
  full.streams.clear();
  full.bytes = full.chunk_count = 0;
  for (std::size_t i = 0; i < kManifestStreamsMax; ++i) {
    const std::string number = std::to_string(i);
    ManifestStream stream;
    stream.label = std::string(kManifestLabelBytesMax - number.size(), 'l') + number;
    for (std::size_t part = 0; part < kManifestPartsMax / kManifestStreamsMax; ++part)
      stream.parts.push_back({{full.session, part}, stream.bytes++, 1});
    full.bytes += stream.bytes;
    full.streams.push_back(std::move(stream));
  }
  full.tags = {{"k", std::string(kManifestTagsBytesMax - 5, 'v')}};
  const auto body = encode_manifest(full);
  ASSERT_TRUE(body.ok()) << body.error().message;
  EXPECT_LE(encode_document(golden::keys(), ObjectKind::kManifest, golden::topics_name(), *body).size(),
            kDocumentBytesMax);
  const auto decoded = decode_manifest(*body);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, full);

  const std::function<void(Manifest&)> excesses[] = {
      [](Manifest& m) { m.stream += 's'; },
      [](Manifest& m) { m.predecessor_name += '0'; },
      [](Manifest& m) { m.host += 'h'; },
      [](Manifest& m) { m.tool_version += 't'; },
      [](Manifest& m) { m.command += 'c'; },
      [](Manifest& m) { m.command.assign(70'000, 'c'); },
      [](Manifest& m) { m.stderr_tail += 'e'; },
      [](Manifest& m) { m.trailer_pattern += 'p'; },
      [](Manifest& m) { m.trailer_pattern.assign(70'000, 'p'); },
      [](Manifest& m) { m.tags["k"] += 'v'; },
      [](Manifest& m) { m.tags["l"]; },
      [](Manifest& m) {
        m.unreadable.push_back({"manifests/z", {}});
      },
      [](Manifest& m) { m.streams.push_back({}); },
      [](Manifest& m) { m.streams[0].label += 'l'; },
      [](Manifest& m) {
        m.streams[0].parts.push_back({{}, 8, 1});
      },
  };
  for (const auto& exceed : excesses) {
    Manifest manifest = full;
    exceed(manifest);
    const auto refused = encode_manifest(manifest);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << refused.error().message;
  }
}

}  // namespace
}  // namespace drs
