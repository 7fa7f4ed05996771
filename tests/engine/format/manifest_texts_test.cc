#include "engine/format/manifest_texts.h"

#include <gtest/gtest.h>

#include "engine/format/document.h"
#include "engine/format/manifest.h"

namespace drs {
namespace {

TEST(ManifestTexts, CutTextsSayHowLongTheyWere) {
  const std::string text(70'000, 'x');
  const std::string beginning = keep_beginning("first" + text, kManifestCommandBytesMax);
  EXPECT_EQ(beginning.size(), kManifestCommandBytesMax);
  EXPECT_TRUE(beginning.starts_with("firstxxx"));
  EXPECT_TRUE(beginning.ends_with("xxx [cut: it had 70005 bytes]"));
  const std::string end = keep_end(text + "last", kManifestStderrBytesMax);
  EXPECT_EQ(end.size(), kManifestStderrBytesMax);
  EXPECT_TRUE(end.starts_with("[cut: it had 70004 bytes] xxx"));
  EXPECT_TRUE(end.ends_with("xxxlast"));
}

TEST(ManifestTexts, LeavesTextsThatFitAsTheyAre) {
  const std::string text(kManifestCommandBytesMax, 'x');
  EXPECT_EQ(keep_beginning(text, kManifestCommandBytesMax), text);
  EXPECT_EQ(keep_end(text, kManifestCommandBytesMax), text);
  EXPECT_EQ(keep_beginning("", 64), "");
}

TEST(ManifestTexts, AcceptsNamesTagsAndPatternsUpToTheirBoundAndNoLonger) {
  EXPECT_TRUE(check_stream_name_bytes(std::string(kManifestStreamBytesMax, 's')).ok());
  EXPECT_EQ(check_stream_name_bytes(std::string(kManifestStreamBytesMax + 1, 's')).error().code, ErrorCode::kUsage);
  EXPECT_EQ(check_stream_name_bytes("").error().code, ErrorCode::kUsage);
  EXPECT_TRUE(check_trailer_pattern_bytes(std::string(kManifestTrailerBytesMax, 'p')).ok());
  EXPECT_EQ(check_trailer_pattern_bytes(std::string(kManifestTrailerBytesMax + 1, 'p')).error().code,
            ErrorCode::kUsage);
  EXPECT_TRUE(check_tags_bytes({{"k", std::string(95, 'v')}}, 100).ok());
  EXPECT_EQ(check_tags_bytes({{"k", std::string(96, 'v')}}, 100).error().code, ErrorCode::kUsage);
}

// The largest texts that a push accepts make the largest possible manifest: it must fit into a document.
TEST(ManifestTexts, TheLargestManifestFitsADocument) {
  Manifest manifest;
  manifest.stream = std::string(kManifestStreamBytesMax, 's');
  manifest.predecessor_name = "manifests/" + std::string(65, 'a');
  manifest.predecessor_digest.data[0] = 1;
  manifest.host = std::string(kManifestHostBytesMax, 'h');
  manifest.tool_version = std::string(kManifestToolBytesMax, 't');
  manifest.command = keep_beginning(std::string(100'000, 'c'), kManifestCommandBytesMax);
  manifest.stderr_tail = keep_end(std::string(100'000, 'e'), kManifestStderrBytesMax);
  manifest.trailer_pattern = std::string(kManifestTrailerBytesMax, 'p');
  for (int i = 0; tags_bytes(manifest.tags) + 48 <= kManifestTagsBytesMax; ++i)
    manifest.tags[std::to_string(10'000 + i)] = std::string(30, 'v');
  ASSERT_TRUE(check_tags_bytes(manifest.tags, kManifestTagsBytesMax).ok());
  ManifestStream only;
  for (std::size_t i = 0; i < kManifestPartsMax; ++i) only.parts.push_back({{{}, i}, only.bytes++, 1});
  manifest.set_stream(std::move(only));
  const RepositoryKeys keys(Bytes(32), {});
  const std::string name = "manifests/" + std::string(32, '0') + "-" + std::string(32, '0');
  const Bytes object = encode_document(keys, ObjectKind::kManifest, name, *encode_manifest(manifest));
  EXPECT_LE(object.size(), kDocumentBytesMax);
}

}  // namespace
}  // namespace drs
