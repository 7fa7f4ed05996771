#include "engine/repository/retention_objects.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/format/document.h"

namespace drs {
namespace {

Uuid uuid(Byte fill) {
  Uuid out;
  out.data.fill(fill);
  return out;
}

// The code of the error, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

class RetentionObjectsTest : public testing::Test {
 protected:
  [[nodiscard]] Bytes seal(ObjectKind kind, const std::string& name, const Bytes& body) const {
    return encode_document(keys_, kind, name, body);
  }

  const RepositoryKeys keys_{Bytes(32, 7), uuid(1)};
  const StreamTag tag_ = keys_.stream_tag("s");
};

TEST_F(RetentionObjectsTest, WaitsAreOfTheRecordInTheirName) {
  Waits waits;
  waits.record = uuid(2);
  const std::string name = waits_name(uuid(2)), other = waits_name(uuid(3));
  const auto opened = open_waits(keys_, name, seal(ObjectKind::kWaits, name, encode_waits(waits)));
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(*opened, waits);
  EXPECT_EQ(code_of(open_waits(keys_, other, seal(ObjectKind::kWaits, other, encode_waits(waits)))), "corrupt");
  EXPECT_EQ(code_of(open_waits(keys_, other, seal(ObjectKind::kWaits, name, encode_waits(waits)))), "corrupt");
}

TEST_F(RetentionObjectsTest, ARetiredObjectIsOfTheTagInItsNameAndOfItsStream) {
  Retired retired;
  retired.tag = tag_;
  const auto code = [&](const StreamTag& named) {
    const std::string name = retired_name(named, uuid(4));
    return code_of(open_retired(keys_, name, seal(ObjectKind::kRetired, name, encode_retired(retired))));
  };
  EXPECT_EQ(code(tag_), "ok") << "a stream that is unknown";
  retired.stream = "s";
  EXPECT_EQ(code(tag_), "ok");
  EXPECT_EQ(code(keys_.stream_tag("t")), "corrupt");
  retired.stream = "t";
  EXPECT_EQ(code(tag_), "corrupt");
}

TEST_F(RetentionObjectsTest, AHoldIsOfTheManifestInItsName) {
  Hold hold;
  hold.manifest_name = manifest_name(tag_, uuid(5));
  const std::string kept = kept_name(tag_, uuid(5), 1), by_writer = hold_name(tag_, uuid(5), 1);
  const auto code = [&](ObjectKind kind, const std::string& name) {
    return code_of(open_hold(keys_, name, seal(kind, name, encode_hold(hold))));
  };
  EXPECT_EQ(code(ObjectKind::kKept, kept), "ok");
  EXPECT_EQ(code(ObjectKind::kHold, by_writer), "ok");
  EXPECT_EQ(code(ObjectKind::kKept, kept_name(tag_, uuid(6), 1)), "corrupt");
  EXPECT_EQ(code(ObjectKind::kKept, kept_name(keys_.stream_tag("t"), uuid(5), 1)), "corrupt");
  // Under another kind's name a writer's object could end a hold.
  EXPECT_EQ(code(ObjectKind::kHold, kept), "corrupt");
  EXPECT_EQ(code(ObjectKind::kKept, by_writer), "corrupt");
  EXPECT_EQ(code(ObjectKind::kHold, removed_name(hold.manifest_name)), "corrupt");
}

TEST_F(RetentionObjectsTest, AHoldOfAWriterEndsNoOthers) {
  Hold hold;
  hold.manifest_name = manifest_name(tag_, uuid(5));
  hold.overrides = {0};
  const std::string kept = kept_name(tag_, uuid(5), 1), by_writer = hold_name(tag_, uuid(5), 1);
  EXPECT_EQ(code_of(open_hold(keys_, kept, seal(ObjectKind::kKept, kept, encode_hold(hold)))), "ok");
  EXPECT_EQ(code_of(open_hold(keys_, by_writer, seal(ObjectKind::kHold, by_writer, encode_hold(hold)))), "corrupt");
}

}  // namespace
}  // namespace drs
