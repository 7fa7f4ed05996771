#include "verify/object_scan.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "codecs/sha256.h"
#include "sinks/memory_store.h"
#include "tests/verify/stored_repository.h"

namespace drs {
namespace {

// Pieces and headroom are far smaller than real ones, so that regions are cut at every offset.
class SmallSweep {
 public:
  SmallSweep(std::size_t headroom_bytes, std::size_t piece_bytes)
      : memory_{Bytes(headroom_bytes + piece_bytes), Bytes(headroom_bytes + piece_bytes)},
        sweep{*store, {{memory_[0], memory_[1]}, headroom_bytes}, progress, cancel} {}

 private:
  std::array<Bytes, 2> memory_;

 public:
  ProgressCounters progress;
  CancelToken cancel;
  std::shared_ptr<MemoryObjects> objects = std::make_shared<MemoryObjects>();
  std::unique_ptr<ObjectStore> store = make_memory_store(objects);
  ObjectScan sweep;
};

RC_GTEST_PROP(ObjectScan, HandsOutEveryRegionWholeAndTheDigestOfAll, ()) {
  const std::size_t bytes = *rc::gen::inRange<std::size_t>(0, 300);
  const std::size_t headroom = *rc::gen::inRange<std::size_t>(1, 40);
  SmallSweep small(headroom, *rc::gen::inRange<std::size_t>(1, 70));
  const Bytes object = test::sample_bytes(bytes, 3);
  small.objects->insert("a", object, 0);
  std::vector<ScanRegion> regions;
  for (std::size_t count = *rc::gen::inRange<std::size_t>(0, 12); count > 0 && bytes > 0; --count) {
    const auto offset = *rc::gen::inRange<std::size_t>(0, bytes);
    const auto length = *rc::gen::inRange<std::size_t>(0, std::min(headroom, bytes - offset) + 1);
    regions.push_back({offset, static_cast<std::uint32_t>(length)});
  }
  std::sort(regions.begin(), regions.end(),
            [](const ScanRegion& a, const ScanRegion& b) { return a.offset_bytes < b.offset_bytes; });
  std::size_t visited = 0;
  const auto digest = small.sweep.run("a", bytes, regions, [&](std::size_t region, ByteView got) {
    RC_ASSERT(region == visited++);
    const auto at = object.begin() + static_cast<std::ptrdiff_t>(regions[region].offset_bytes);
    RC_ASSERT(got.size() == regions[region].bytes);
    RC_ASSERT(std::equal(got.begin(), got.end(), at));
  });
  RC_ASSERT(digest.ok());
  RC_ASSERT(*digest == sha256(object));
  RC_ASSERT(visited == regions.size());
  RC_ASSERT(small.progress.bytes.load() == bytes);
  RC_ASSERT(small.store->in_flight() == 0U);
}

TEST(ObjectScan, SaysWhereAnObjectEndsEarly) {
  SmallSweep small(8, 16);
  small.objects->insert("a", Bytes(20), 0);
  const auto digest = small.sweep.run("a", 40);
  ASSERT_FALSE(digest.ok());
  EXPECT_EQ(digest.error().code, ErrorCode::kTruncated);
  EXPECT_NE(digest.error().message.find("byte 20"), std::string::npos) << digest.error().message;
  EXPECT_EQ(small.store->in_flight(), 0U);
}

TEST(ObjectScan, PassesOnThatAnObjectIsGone) {
  SmallSweep small(8, 16);
  EXPECT_EQ(small.sweep.run("a", 40).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(small.store->in_flight(), 0U);
}

TEST(ObjectScan, RefusesRegionsThatCannotBe) {
  SmallSweep small(8, 16);
  small.objects->insert("a", Bytes(20), 0);
  const auto code_of = [&](ScanRegion region) {
    return small.sweep.run("a", 20, std::array{region}, [](std::size_t, ByteView) {}).error().code;
  };
  EXPECT_EQ(code_of({0, 9}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of({18, 3}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of({21, 0}), ErrorCode::kCorrupt);
}

TEST(ObjectScan, StopsWhenCancelledWithNothingInFlight) {
  SmallSweep small(8, 16);
  small.objects->insert("a", Bytes(100), 0);
  small.cancel.cancel();
  EXPECT_EQ(small.sweep.run("a", 100).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(small.store->in_flight(), 0U);
}

}  // namespace
}  // namespace drs
