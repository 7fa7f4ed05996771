#include "engine/format/names.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace drs {
namespace {

template <std::size_t N>
FixedBytes<N> filled(Byte value) {
  FixedBytes<N> out;
  out.data.fill(value);
  return out;
}

TEST(Names, AreThoseOfTheFormat) {
  const std::string hex32 = "abababababababababababababababab";
  EXPECT_EQ(pack_name(filled<32>(0xAB)), "packs/ab/" + hex32 + hex32);
  EXPECT_EQ(index_name(filled<32>(0xAB)), "index/" + hex32 + hex32);
  EXPECT_EQ(config_name(17), "config/00000017");
  EXPECT_EQ(slot_name(filled<16>(0xAB)), "keys/" + hex32);
  EXPECT_EQ(manifest_name(filled<16>(0), filled<16>(0xAB)), "manifests/" + std::string(32, '0') + "-" + hex32);
  EXPECT_EQ(removed_name("manifests/x"), "removed/x");
  EXPECT_EQ(session_name(filled<16>(0xAB), filled<16>(0xAB), 99'999'999),
            "sessions/" + hex32 + "-" + hex32 + "-99999999");
  EXPECT_EQ(condemned_name(filled<16>(0xAB)), "condemned/" + hex32);
  EXPECT_EQ(waits_name(filled<16>(0xAB)), "waits/" + hex32);
  EXPECT_EQ(retired_name(filled<16>(0), filled<16>(0xAB)), "retired/" + std::string(32, '0') + "-" + hex32);
  EXPECT_EQ(kept_name(filled<16>(0xAB), filled<16>(0xAB), 1), "kept/" + hex32 + "-" + hex32 + "-00000001");
  EXPECT_EQ(hold_name(filled<16>(0xAB), filled<16>(0xAB), 2), "holds/" + hex32 + "-" + hex32 + "-00000002");
  EXPECT_EQ(damaged_name(filled<32>(0xAB), filled<16>(0xAB)), "damaged/" + hex32 + hex32 + "-" + hex32);
}

TEST(Names, SomeAreOfFoldersOnly) {
  for (const char* const name : {"packs", "packs/3f", "packs/00", "manifests", "keys"})
    EXPECT_TRUE(is_folder_name(name)) << name;
  for (const char* const name : {"", "/", "pack", "packs/", "packs/3", "packs/3F", "packs/zz", "packs/3f/",
                                 "packs/3f/1", "index/3f", "keys/00", "lost+found"})
    EXPECT_FALSE(is_folder_name(name)) << name;
}

TEST(Names, ParseToTheirParts) {
  const auto manifest = parse_name(manifest_name(filled<16>(1), filled<16>(2)));
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->kind, ObjectKind::kManifest);
  EXPECT_EQ(manifest->tag, filled<16>(1));
  EXPECT_EQ(manifest->uuid, filled<16>(2));
  const auto session = parse_name(session_name(filled<16>(2), filled<16>(3), 12));
  ASSERT_TRUE(session.has_value());
  EXPECT_EQ(session->kind, ObjectKind::kSession);
  EXPECT_EQ(session->tag, filled<16>(2));
  EXPECT_EQ(session->uuid, filled<16>(3));
  EXPECT_EQ(session->number, 12U);
  const auto mark = parse_name(damaged_name(filled<32>(5), filled<16>(6)));
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->kind, ObjectKind::kDamaged);
  EXPECT_EQ(mark->digest, filled<32>(5));
  EXPECT_EQ(mark->uuid, filled<16>(6));
  const auto pack = parse_name(pack_name(filled<32>(4)));
  ASSERT_TRUE(pack.has_value());
  EXPECT_EQ(pack->kind, ObjectKind::kPack);
  EXPECT_EQ(pack->digest, filled<32>(4));
}

TEST(Names, AreGivenBackFromTheirParts) {
  const std::string manifest = manifest_name(filled<16>(1), filled<16>(2));
  for (const std::string& name :
       {pack_name(filled<32>(4)), index_name(filled<32>(4)), config_name(3), slot_name(filled<16>(5)), manifest,
        removed_name(manifest), session_name(filled<16>(1), filled<16>(2), 7), condemned_name(filled<16>(6)),
        damaged_name(filled<32>(4), filled<16>(5)), waits_name(filled<16>(6)),
        retired_name(filled<16>(1), filled<16>(6)), kept_name(filled<16>(1), filled<16>(2), 8),
        hold_name(filled<16>(1), filled<16>(2), 9)}) {
    const auto parsed = parse_name(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(object_name(*parsed), name);
  }
  ParsedName fence = *parse_name(manifest);
  fence.kind = ObjectKind::kFence;
  EXPECT_EQ(object_name(fence), manifest);
}

TEST(Names, OfOthersAreNotOurs) {
  const std::string hex = filled<16>(0xAB).hex();
  const std::vector<std::string> names = {std::string(),
                                          std::string("packs"),
                                          std::string("packs/"),
                                          "packs/ab/" + hex,
                                          "packs/ab" + hex + hex,
                                          "packs/ac/" + hex + hex,
                                          "index/" + hex,
                                          "keys/" + hex + "0",
                                          "keys/" + hex + "/",
                                          "manifests/" + hex,
                                          "manifests/" + hex + "_" + hex,
                                          "config/1",
                                          "config/0000000x",
                                          "config/000000001",
                                          "sessions/" + hex + "-1",
                                          "sessions/" + hex + "-00000001",
                                          "waits/" + hex + "-" + hex,
                                          "retired/" + hex,
                                          "retired/" + hex + "-00000001",
                                          "kept/" + hex + "-" + hex,
                                          "holds/" + hex + "-00000001",
                                          "verified/" + hex + "-00000001",
                                          std::string("incoming/0001"),
                                          "Keys/" + hex,
                                          "keys/ABABABABABABABABABABABABABABABAB",
                                          "x/keys/" + hex};
  for (const std::string& name : names) EXPECT_FALSE(parse_name(name).has_value()) << name;
}

// The name in a removed mark is an arbitrary text, which must not crash the program.
TEST(Names, OfARemovedMarkIsNoneForATextThatIsNoManifestsName) {
  EXPECT_EQ(removed_name("manifests/a-b"), "removed/a-b");
  for (const std::string_view text : {"", "a-b", "removed/a-b", "manifest", "/manifests/a-b"})
    EXPECT_EQ(removed_name(text), "") << text;
}

TEST(Names, NeverParseFromArbitraryText) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    RC_ASSERT(!parse_name(text).has_value());
    RC_ASSERT(parse_name("keys/" + filled<16>(7).hex() + text).has_value() == text.empty());
  }));
}

}  // namespace
}  // namespace drs
