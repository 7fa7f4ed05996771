#include "codecs/chunker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>

#include "codecs/hkdf.h"
#include "codecs/xxh3.h"
#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

using Cuts = std::vector<std::uint64_t>;

const Bytes kKey = pseudo_random_bytes(32, 100);

// A literal implementation of the rule in chunker.h: one offset at a time, each hash computed from its 64 bytes.
class RuleByTheLetter {
 public:
  RuleByTheLetter(const ChunkParameters& parameters, ByteView key) : parameters_(parameters), gear_(256) {
    Bytes table(2048);
    hkdf_sha256(key, {}, as_bytes("drstream/1/gear"), table);
    ByteReader reader(table, "gear");
    for (std::uint64_t& g : gear_) g = reader.u64();
  }

  Cuts cut(ByteView data) const {
    Cuts cuts;
    std::uint64_t begin = 0;
    for (std::uint64_t end = 1; end <= data.size(); ++end) {
      const std::uint64_t length = end - begin;
      const int mean_bits = std::countr_zero(parameters_.bytes_mean);
      bool cut = length == parameters_.bytes_max || end == data.size();
      if (length >= parameters_.bytes_min && length < parameters_.bytes_mean) {
        cut = cut || top_bits_are_zero(hash(data, end), mean_bits + parameters_.normalization);
      } else if (length >= parameters_.bytes_mean) {
        cut = cut || top_bits_are_zero(hash(data, end), mean_bits - parameters_.normalization);
      }
      if (cut) cuts.push_back(begin = end);
    }
    return cuts;
  }

 private:
  std::uint64_t hash(ByteView data, std::uint64_t end) const {
    std::uint64_t sum = 0;
    for (unsigned k = 0; k < 64; ++k) sum += gear_[data[end - 1 - k]] << k;
    return sum;
  }
  static bool top_bits_are_zero(std::uint64_t hash, int bit_count) {
    for (int bit = 62; bit > 62 - bit_count; --bit) {
      if ((hash >> bit & 1) != 0) return false;
    }
    return true;
  }
  ChunkParameters parameters_;
  std::vector<std::uint64_t> gear_;
};

Cuts cut_serially(const Chunker& chunker, ByteView data) {
  Cuts cuts;
  std::uint64_t at = 0;
  while (at < data.size()) {
    at += chunker.next(data.subspan(at), Follows::kEndOfStream);
    cuts.push_back(at);
  }
  return cuts;
}

// Small chunks, so that short inputs cover every case.
ChunkParameters small_parameters() {
  return {.bytes_min = 64, .bytes_mean = 512, .bytes_max = 1500, .normalization = 2};
}

rc::Gen<ChunkParameters> any_parameters() {
  return rc::gen::exec([] {
    ChunkParameters parameters;
    parameters.bytes_mean = *rc::gen::element(512U, 1024U, 4096U);
    parameters.bytes_min = *rc::gen::inRange(64U, parameters.bytes_mean);
    parameters.bytes_max = *rc::gen::inRange(parameters.bytes_mean + 1, 3 * parameters.bytes_mean);
    parameters.normalization = static_cast<std::uint8_t>(*rc::gen::inRange(0, 4));
    return parameters;
  });
}

// Random, zero-filled, repeating or text bytes.
rc::Gen<Bytes> any_stream() {
  return rc::gen::exec([] {
    const auto count = *rc::gen::inRange<std::size_t>(0, *rc::gen::element<std::size_t>(300, 3000, 30000));
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    switch (*rc::gen::inRange(0, 4)) {
      case 0: return pseudo_random_bytes(count, seed);
      case 1: return Bytes(count, static_cast<Byte>(seed));
      case 2: {
        const Bytes period = pseudo_random_bytes(*rc::gen::inRange<std::size_t>(1, 700), seed);
        Bytes out(count);
        for (std::size_t i = 0; i < count; ++i) out[i] = period[i % period.size()];
        return out;
      }
      default: {
        std::string text;
        while (text.size() < count) text += "INSERT INTO t VALUES (" + std::to_string(text.size() * seed) + ");\n";
        text.resize(count);
        return bytes_of(text);
      }
    }
  });
}

// Scans `data` in segments of `next_segment_bytes()` bytes and resolves after each.
template <typename NextSegment>
Cuts cut_in_segments(const Chunker& chunker, ByteView data, NextSegment next_segment_bytes) {
  CutResolver resolver(chunker.parameters());
  Cuts cuts;
  std::size_t at = 0;
  do {
    const std::size_t segment_bytes = std::min<std::size_t>(next_segment_bytes(), data.size() - at);
    std::vector<CutCandidate> candidates;
    chunker.scan(data.first(at), data.subspan(at, segment_bytes), at, candidates);
    at += segment_bytes;
    resolver.resolve(candidates, at, at == data.size() ? Follows::kEndOfStream : Follows::kMoreBytes, cuts);
  } while (at < data.size());
  return cuts;
}

TEST(Chunker, CutsByTheLetterOfTheRule) {
  EXPECT_TRUE(rc::check([] {
    const ChunkParameters parameters = *any_parameters();
    const Bytes data = *any_stream();
    RC_ASSERT(cut_serially(Chunker(parameters, kKey), data) == RuleByTheLetter(parameters, kKey).cut(data));
  }));
}

TEST(Chunker, CutsByTheLetterOfTheRuleWithTheDefaults) {
  const Bytes data = pseudo_random_bytes(600000, 101);
  EXPECT_EQ(cut_serially(Chunker({}, kKey), data), RuleByTheLetter({}, kKey).cut(data));
}

TEST(Chunker, GivesTheSameCutsForAnySegments) {
  EXPECT_TRUE(rc::check([] {
    const Chunker chunker(*any_parameters(), kKey);
    const Bytes data = *any_stream();
    const auto segment_bytes_max = *rc::gen::element<std::size_t>(2, 100, 1000, 20000);
    const Cuts segmented =
        cut_in_segments(chunker, data, [&] { return *rc::gen::inRange<std::size_t>(1, segment_bytes_max); });
    RC_ASSERT(segmented == cut_serially(chunker, data));
  }));
}

TEST(Chunker, GivesTheSameCutsForAnyRefillingOfABuffer) {
  EXPECT_TRUE(rc::check([] {
    const Chunker chunker(*any_parameters(), kKey);
    const Bytes data = *any_stream();
    const auto refill_bytes_max = *rc::gen::element<std::size_t>(3, 500, 5000);
    Cuts cuts;
    std::size_t begin = 0;
    std::size_t filled = 0;
    while (begin < data.size()) {
      filled = std::min(data.size(), filled + *rc::gen::inRange<std::size_t>(1, refill_bytes_max));
      // The end may be reported late.
      const bool ended = filled == data.size() && *rc::gen::arbitrary<bool>();
      const Follows follows = ended ? Follows::kEndOfStream : Follows::kMoreBytes;
      while (const std::size_t length = chunker.next(ByteView(data).subspan(begin, filled - begin), follows)) {
        begin += length;
        cuts.push_back(begin);
      }
    }
    RC_ASSERT(cuts == cut_serially(chunker, data));
  }));
}

TEST(Chunker, KeepsLengthsWithinTheirLimits) {
  EXPECT_TRUE(rc::check([] {
    const ChunkParameters parameters = *any_parameters();
    const Bytes data = *any_stream();
    std::uint64_t begin = 0;
    for (const std::uint64_t end : cut_serially(Chunker(parameters, kKey), data)) {
      RC_ASSERT(end - begin <= parameters.bytes_max);
      RC_ASSERT(end == data.size() || end - begin >= parameters.bytes_min);
      begin = end;
    }
    RC_ASSERT(begin == data.size());
  }));
}

TEST(Chunker, DecidesNothingThatLaterBytesCouldChangeAndEverythingElse) {
  const ChunkParameters parameters = small_parameters();
  const Chunker chunker(parameters, kKey);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Bytes data = pseudo_random_bytes(parameters.bytes_max + 100, seed);
    const std::size_t length = chunker.next(data, Follows::kMoreBytes);
    ASSERT_NE(length, 0U);
    for (std::size_t known = 0; known <= data.size(); ++known) {
      ASSERT_EQ(chunker.next(ByteView(data).first(known), Follows::kMoreBytes), known < length ? 0 : length);
      ASSERT_EQ(chunker.next(ByteView(data).first(known), Follows::kEndOfStream), std::min(known, length));
    }
  }
}

TEST(Chunker, CutsOneByteMoreThanTheMaximumInTwo) {
  const ChunkParameters parameters = small_parameters();
  const Chunker chunker(parameters, kKey);
  const Bytes zeros(parameters.bytes_max + 1);  // constant bytes match nowhere, or everywhere from bytes_min on
  ASSERT_EQ(chunker.next(zeros, Follows::kMoreBytes), parameters.bytes_max);
  EXPECT_EQ(cut_serially(chunker, zeros), (Cuts{parameters.bytes_max, parameters.bytes_max + 1}));
  EXPECT_EQ(cut_serially(chunker, ByteView(zeros).first(parameters.bytes_max)), Cuts{parameters.bytes_max});
  EXPECT_EQ(cut_serially(chunker, {}), Cuts{});
}

TEST(Chunker, MeetsItsCutsAgainAfterAnInsertion) {
  const Chunker chunker(small_parameters(), kKey);
  Bytes data = pseudo_random_bytes(200000, 102);
  const Cuts before = cut_serially(chunker, data);
  const Bytes inserted = pseudo_random_bytes(77, 103);
  data.insert(data.begin() + 1000, inserted.begin(), inserted.end());
  const Cuts after = cut_serially(chunker, data);
  std::size_t shared = 0;
  for (const std::uint64_t cut : before) {
    if (std::binary_search(after.begin(), after.end(), cut + inserted.size())) ++shared;
  }
  EXPECT_GT(shared + 20, before.size());
}

TEST(Chunker, CutsElsewhereUnderAnotherKey) {
  const Bytes data = pseudo_random_bytes(100000, 104);
  EXPECT_NE(cut_serially(Chunker(small_parameters(), kKey), data),
            cut_serially(Chunker(small_parameters(), pseudo_random_bytes(32, 105)), data));
}

TEST(Chunker, ScansTheSameCandidatesWithMoreBytesBeforeThanItNeeds) {
  const Chunker chunker(small_parameters(), kKey);
  const Bytes data = pseudo_random_bytes(50000, 106);
  std::vector<CutCandidate> with_63;
  std::vector<CutCandidate> with_all;
  chunker.scan(ByteView(data).subspan(10000 - 63, 63), ByteView(data).subspan(10000), 10000, with_63);
  chunker.scan(ByteView(data).first(10000), ByteView(data).subspan(10000), 10000, with_all);
  EXPECT_EQ(with_63, with_all);
  EXPECT_GT(with_63.size(), 100U);
}

TEST(ChunkerDeathTest, RefusesToScanWithoutTheBytesBefore) {
  const Chunker chunker(small_parameters(), kKey);
  std::vector<CutCandidate> candidates;
  EXPECT_DEATH(chunker.scan(Bytes(62), Bytes(100), 1000, candidates), "before the segment are missing");
}

TEST(CutResolver, StartsWhereItIsTold) {
  const Chunker chunker(small_parameters(), kKey);
  const Bytes data = pseudo_random_bytes(20000, 107);
  constexpr std::uint64_t kBegin = 5000;
  std::vector<CutCandidate> candidates;
  chunker.scan(ByteView(data).first(kBegin), ByteView(data).subspan(kBegin), kBegin, candidates);
  CutResolver resolver(chunker.parameters(), kBegin);
  Cuts cuts;
  resolver.resolve(candidates, data.size(), Follows::kEndOfStream, cuts);
  Cuts expected = cut_serially(chunker, ByteView(data).subspan(kBegin));
  for (std::uint64_t& cut : expected) cut += kBegin;
  EXPECT_EQ(cuts, expected);
  EXPECT_EQ(resolver.chunk_begin_bytes(), data.size());
}

TEST(ChunkParameters, AcceptsTheDefaultsAndTheEdges) {
  EXPECT_TRUE(validate({}).ok());
  EXPECT_TRUE(validate({.bytes_min = 64, .bytes_mean = 512, .bytes_max = 513, .normalization = 0}).ok());
  EXPECT_TRUE(validate({.bytes_min = 32767, .bytes_mean = 32768, .bytes_max = 65534, .normalization = 3}).ok());
}

TEST(ChunkParameters, RefusesAnythingElse) {
  const ChunkParameters refused[] = {
      {.bytes_min = 64, .bytes_mean = 256},
      {.bytes_min = 8192, .bytes_mean = 65536},
      {.bytes_min = 8192, .bytes_mean = 16383},
      {.bytes_min = 8192, .bytes_mean = 0},
      {.bytes_min = 63},
      {.bytes_min = 0},
      {.bytes_min = 16384},
      {.bytes_max = 16384},
      {.bytes_max = 65535},
      {.bytes_max = 0},
      {.normalization = 4},
      {.normalization = 255},
  };
  for (const ChunkParameters& parameters : refused) {
    const Result<void> result = validate(parameters);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  }
}

// Golden: never change these numbers. With a different rule, new chunks of an existing repository would match none of
// its stored chunks. An independent implementation of the rule in chunker.h computed the numbers.
TEST(ChunkerGolden, CutsOneMebibyteAsInVersionOne) {
  const Bytes data = pseudo_random_bytes(kMiB, 1);
  ASSERT_EQ(xxh3_128(data).hex(), "89b19a50bcfb2cb229fe01b3d5ab89e1");
  Bytes key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<Byte>(i);
  EXPECT_THAT(
      cut_serially(Chunker({}, key), data),
      testing::ElementsAre(20645, 41070, 64953, 93401, 111859, 130166, 146894, 165653, 184254, 209393, 222384, 251496,
                           269279, 279466, 297611, 315202, 330909, 345403, 361977, 381800, 400455, 423138, 442268,
                           461152, 486694, 510518, 531920, 548518, 569936, 595717, 614350, 632599, 650199, 668258,
                           687463, 704535, 723180, 740112, 750561, 764578, 781840, 804148, 820817, 837412, 854664,
                           871471, 889493, 907490, 921919, 942066, 964984, 989831, 1013973, 1033269, 1048576));
}

TEST(ChunkerGolden, CutsTextWithSmallChunksAsInVersionOne) {
  std::string text;
  for (int row = 0; row < 400; ++row) text += "row " + std::to_string(row) + "\n";
  EXPECT_THAT(cut_serially(Chunker(small_parameters(), Bytes(32, 0x42)), as_bytes(text)),
              testing::ElementsAre(527, 1081, 1758, 2307, 2822, 3090));
}

}  // namespace
}  // namespace drs
