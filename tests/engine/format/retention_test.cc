#include "engine/format/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

// The code of the error, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

Bytes with_u32(Bytes body, std::size_t at, std::uint32_t value) {
  std::memcpy(body.data() + at, &value, sizeof value);
  return body;
}

WaitingSession waiting(std::string_view session, std::string_view tag) {
  WaitingSession out;
  out.session = golden::fixed_uuid(session);
  out.tag = golden::fixed_uuid(tag);
  return out;
}

RetiredEntry entry(std::string_view session) {
  return {.session = golden::fixed_uuid(session), .digest = golden::fixed_digest(session), .sequence = 1};
}

TEST(Waits, AreStoredSortedBySessionAndTag) {
  Waits waits = golden::waits();
  waits.sessions.push_back(waiting("a", "x"));
  waits.sessions.push_back(waiting("a", "y"));
  const auto decoded = decode_waits(encode_waits(waits));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->record, waits.record);
  EXPECT_EQ(decoded->listed_ns, waits.listed_ns);
  ASSERT_EQ(decoded->sessions.size(), waits.sessions.size());
  EXPECT_TRUE(std::ranges::is_permutation(decoded->sessions, waits.sessions));
  std::ranges::reverse(waits.sessions);
  EXPECT_EQ(encode_waits(waits), encode_waits(*decoded));
}

TEST(Waits, NameASessionOfAStreamOnce) {
  Waits waits;
  waits.sessions = {waiting("a", "x"), waiting("a", "x")};
  EXPECT_EQ(code_of(decode_waits(encode_waits(waits))), "corrupt");
  waits.sessions = {waiting("a", "x"), waiting("a", "y"), waiting("b", "x")};
  EXPECT_EQ(code_of(decode_waits(encode_waits(waits))), "ok");
}

TEST(Waits, HaveANumberThatFitsIntoAName) {
  Waits waits;
  waits.sessions = {waiting("a", "x")};
  waits.sessions[0].number = kNumberInNameMax;
  EXPECT_EQ(code_of(decode_waits(encode_waits(waits))), "ok");
  waits.sessions[0].number = kNumberInNameMax + 1;
  EXPECT_EQ(code_of(decode_waits(encode_waits(waits))), "corrupt");
}

TEST(Waits, HaveABoundThatFitsIntoADocument) {
  Waits waits;
  for (std::uint32_t i = 0; i < kWaitingSessionsMax; ++i) {
    WaitingSession session;
    std::memcpy(session.session.data.data(), &i, sizeof i);
    waits.sessions.push_back(session);
  }
  const Bytes body = encode_waits(waits);
  EXPECT_LT(body.size(), kDocumentBytesMax);
  EXPECT_EQ(code_of(decode_waits(body)), "ok");
  EXPECT_EQ(code_of(decode_waits(with_u32(body, 24, kWaitingSessionsMax + 1))), "corrupt");
}

TEST(Waits, WithAForgedCountAreRefusedBeforeMemoryIsTaken) {
  const Bytes body = encode_waits(golden::waits());
  EXPECT_EQ(code_of(decode_waits(with_u32(body, 24, 0xFFFFFFFF))), "corrupt");
  EXPECT_EQ(code_of(decode_waits(with_u32(body, 24, kWaitingSessionsMax))), "truncated");
}

TEST(Retired, StandsForMarksAndFencesInOrderOfTheirSessions) {
  Retired retired = golden::retired();
  const auto decoded = decode_retired(encode_retired(retired));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->tag, retired.tag);
  EXPECT_EQ(decoded->stream, retired.stream);
  EXPECT_TRUE(std::ranges::is_permutation(decoded->entries, retired.entries));
  EXPECT_EQ(std::ranges::count_if(decoded->entries, &RetiredEntry::is_fence), 1);
  std::ranges::reverse(retired.entries);
  EXPECT_EQ(encode_retired(retired), encode_retired(*decoded));
}

TEST(Retired, NamesASessionOnce) {
  Retired retired;
  retired.entries = {entry("a"), entry("a")};
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "corrupt");
  retired.entries[1].session = golden::fixed_uuid("b");
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "ok");
}

TEST(Retired, HasNoSequenceWithoutADigestAndNoneThatAManifestCannotHave) {
  Retired retired;
  retired.entries = {entry("a")};
  retired.entries[0].digest = Digest();
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "corrupt");
  retired.entries[0].sequence = 0;
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "ok");
  // The mark of a damaged manifest may have none.
  retired.entries[0].digest = golden::fixed_digest("a");
  const auto mark = decode_retired(encode_retired(retired));
  ASSERT_TRUE(mark.ok());
  EXPECT_FALSE(mark->entries[0].is_fence());
  retired.entries[0].sequence = (std::uint64_t{1} << 48) - 1;
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "ok");
  ++retired.entries[0].sequence;
  EXPECT_EQ(code_of(decode_retired(encode_retired(retired))), "corrupt");
}

TEST(Retired, HasABoundThatFitsIntoADocumentAndAForgedCountIsRefused) {
  Retired retired;
  retired.stream = std::string(255, 's');
  for (std::uint32_t i = 0; i < kRetiredEntriesMax; ++i) {
    RetiredEntry one = entry("a");
    std::memcpy(one.session.data.data(), &i, sizeof i);
    retired.entries.push_back(one);
  }
  const Bytes body = encode_retired(retired);
  EXPECT_LT(body.size(), kDocumentBytesMax);
  EXPECT_EQ(code_of(decode_retired(body)), "ok");
  const std::size_t count_at = 16 + 2 + retired.stream.size();
  EXPECT_EQ(code_of(decode_retired(with_u32(body, count_at, kRetiredEntriesMax + 1))), "corrupt");
  const Bytes few = encode_retired(golden::retired());
  const std::size_t few_at = 16 + 2 + golden::retired().stream.size();
  EXPECT_EQ(code_of(decode_retired(with_u32(few, few_at, kRetiredEntriesMax))), "truncated");
}

TEST(Hold, RoundTrips) {
  for (const Hold& hold : {golden::kept(), golden::hold()}) {
    const auto decoded = decode_hold(encode_hold(hold));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(*decoded, hold);
  }
}

TEST(Hold, ListsOverridesInOrderOnceAndAtMostAThousand) {
  Hold hold = golden::kept();
  const auto code = [&](std::vector<std::uint32_t> overrides) {
    hold.overrides = std::move(overrides);
    return code_of(decode_hold(encode_hold(hold)));
  };
  EXPECT_EQ(code({0, 1, kNumberInNameMax}), "ok");
  EXPECT_EQ(code({1, 0}), "corrupt");
  EXPECT_EQ(code({1, 1}), "corrupt");
  EXPECT_EQ(code({kNumberInNameMax + 1}), "corrupt");
  std::vector<std::uint32_t> most;
  for (std::uint32_t i = 0; i < kHoldOverridesMax; ++i) most.push_back(i);
  EXPECT_EQ(code(most), "ok");
  const Bytes body = encode_hold(hold);
  const std::size_t count_at = body.size() - 4 * most.size() - 4;
  EXPECT_EQ(code_of(decode_hold(with_u32(body, count_at, kHoldOverridesMax + 1))), "corrupt");
  EXPECT_EQ(code_of(decode_hold(Bytes(body.begin(), body.end() - 4))), "truncated");
}

TEST(Hold, HasAReasonOfAtMostFourKibibytes) {
  Hold hold = golden::hold();
  hold.reason = std::string(kHoldReasonBytesMax, 'r');
  Bytes body = encode_hold(hold);
  EXPECT_EQ(code_of(decode_hold(body)), "ok");
  const std::size_t length_at = 2 + hold.manifest_name.size() + Digest::kBytes + 8 + 8;
  body.insert(body.begin() + static_cast<std::ptrdiff_t>(length_at) + 2, Byte{'r'});
  ++body[length_at];
  EXPECT_EQ(code_of(decode_hold(body)), "corrupt");
}

}  // namespace
}  // namespace drs
