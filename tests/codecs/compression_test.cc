#include "codecs/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/resource.h>

#include <cstdlib>

#include "tests/codecs/test_bytes.h"

namespace drs {
namespace {

struct Encoded {
  Codec codec;
  Bytes bytes;
};

Encoded encode(CompressionChoice choice, ByteView in) {
  Result<Compressor> compressor = Compressor::make(choice, in.size());
  DRS_ASSERT(compressor.ok(), "a test compressor was not made");
  Bytes out(in.size());
  const Result<Compressor::Output> output = compressor->compress(in, out);
  DRS_ASSERT(output.ok(), "a test input was not compressed");
  if (output->codec == Codec::kRaw) out.assign(in.begin(), in.end());
  out.resize(output->bytes);
  return {output->codec, out};
}

Result<void> decode(Codec codec, ByteView in, MutableByteView out) {
  Result<Decompressor> decompressor = Decompressor::make();
  DRS_ASSERT(decompressor.ok(), "a test decompressor was not made");
  return decompressor->decompress(codec, in, out);
}

Bytes text_bytes(std::size_t count) {
  std::string text;
  for (int row = 0; text.size() < count; ++row)
    text += "INSERT INTO orders VALUES (" + std::to_string(row * 7919) + ");\n";
  text.resize(count);
  return bytes_of(text);
}

const std::vector<CompressionChoice> kChoices = {
    {Codec::kRaw, 0},  {Codec::kLz4, 0},  {Codec::kZstd, -7}, {Codec::kZstd, -1}, {Codec::kZstd, 1},
    {Codec::kZstd, 3}, {Codec::kZstd, 4}, {Codec::kZstd, 9},  {Codec::kZstd, 15}, {Codec::kZstd, 19}};

TEST(ParseCompression, ReadsBackWhatItPrints) {
  for (const CompressionChoice& choice : kChoices) {
    const Result<CompressionChoice> parsed = parse_compression(to_string(choice));
    ASSERT_TRUE(parsed.ok()) << to_string(choice);
    EXPECT_EQ(*parsed, choice);
  }
  EXPECT_EQ(*parse_compression("zstd"), (CompressionChoice{Codec::kZstd, 1}));
}

TEST(ParseCompression, RefusesAnythingElseAndSaysWhatIsAccepted) {
  for (const char* text : {"", "gzip", "zstd:", "zstd:0", "zstd:20", "zstd:-8", "zstd:+3", "zstd:3 ", "zstd:3x",
                           "zstd: 3", "zstd:99999999999999999999", "ZSTD", "lz4:1", "none:0"}) {
    const Result<CompressionChoice> parsed = parse_compression(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_THAT(parsed.error().message, testing::HasSubstr("zstd:N with N in 1..19 or -7..-1"));
  }
}

TEST(Compression, GivesBackAnyInput) {
  EXPECT_TRUE(rc::check([] {
    const CompressionChoice choice = *rc::gen::elementOf(kChoices);
    const auto input_bytes = *rc::gen::inRange<std::size_t>(0, *rc::gen::element<std::size_t>(20, 1000, 100000));
    // A compressible beginning and an incompressible end, in random proportion.
    Bytes in = text_bytes(*rc::gen::inRange<std::size_t>(0, input_bytes + 1));
    const Bytes noise = pseudo_random_bytes(input_bytes - in.size(), *rc::gen::arbitrary<std::uint64_t>());
    in.insert(in.end(), noise.begin(), noise.end());
    const Encoded encoded = encode(choice, in);
    RC_ASSERT(encoded.bytes.size() <= in.size());
    RC_ASSERT(encoded.codec == Codec::kRaw || encoded.codec == choice.codec);
    RC_ASSERT(encoded.codec == Codec::kRaw || encoded.bytes.size() * 100 < in.size() * 97);
    Bytes out(in.size());
    RC_ASSERT(decode(encoded.codec, encoded.bytes, out).ok());
    RC_ASSERT(out == in);
  }));
}

TEST(Compression, ShrinksTextWithEveryCodecAndReusesItsContexts) {
  const Bytes text = text_bytes(kMiB);
  Result<Decompressor> decompressor = Decompressor::make();
  ASSERT_TRUE(decompressor.ok());
  for (const CompressionChoice& choice : kChoices) {
    if (choice.codec == Codec::kRaw) continue;
    Result<Compressor> compressor = Compressor::make(choice, kMiB);
    ASSERT_TRUE(compressor.ok());
    for (const std::size_t input_bytes : {kMiB, std::size_t{1000}, 300 * kKiB}) {
      Bytes out(input_bytes);
      const Result<Compressor::Output> output = compressor->compress(ByteView(text).first(input_bytes), out);
      ASSERT_TRUE(output.ok());
      EXPECT_EQ(output->codec, choice.codec);
      EXPECT_LT(output->bytes, input_bytes * 6 / 10) << to_string(choice);
      Bytes back(input_bytes);
      ASSERT_TRUE(decompressor->decompress(output->codec, ByteView(out).first(output->bytes), back).ok());
      EXPECT_TRUE(std::equal(back.begin(), back.end(), text.begin()));
    }
  }
}

TEST(Compression, StoresRandomAndEmptyInputRaw) {
  for (const CompressionChoice& choice : kChoices) {
    for (const std::size_t input_bytes : {std::size_t{0}, std::size_t{1}, std::size_t{3000}, 64 * kKiB, kMiB}) {
      const Encoded encoded = encode(choice, pseudo_random_bytes(input_bytes, input_bytes));
      EXPECT_EQ(encoded.codec, Codec::kRaw) << to_string(choice) << " " << input_bytes;
      EXPECT_EQ(encoded.bytes.size(), input_bytes);
    }
  }
}

TEST(Compression, AnswersRawWhenLessThanThreePercentWouldBeSaved) {
  Bytes in = pseudo_random_bytes(100000, 20);
  std::fill(in.begin(), in.begin() + 2500, Byte{0});
  EXPECT_EQ(encode({Codec::kZstd, 1}, in).codec, Codec::kRaw);
  std::fill(in.begin(), in.begin() + 3500, Byte{0});
  EXPECT_EQ(encode({Codec::kZstd, 1}, in).codec, Codec::kZstd);
}

TEST(Compression, ProbesBeforeHighLevels) {
  // The compressible bytes lie outside the three samples: the probe finds nothing; low levels do not probe.
  Bytes in = pseudo_random_bytes(kMiB, 21);
  std::fill(in.begin() + 100000, in.begin() + 400000, Byte{0});
  EXPECT_EQ(encode({Codec::kZstd, 3}, in).codec, Codec::kZstd);
  EXPECT_EQ(encode({Codec::kZstd, 4}, in).codec, Codec::kRaw);
  // One shrinking sample is enough.
  std::fill(in.end() - 5000, in.end(), Byte{0});
  EXPECT_EQ(encode({Codec::kZstd, 4}, in).codec, Codec::kZstd);
}

TEST(Compression, StaysWithinItsAnnouncedMemory) {
  const Bytes text = text_bytes(kMiB);
  for (const CompressionChoice& choice : kChoices) {
    for (const std::size_t input_bytes_max : {std::size_t{100}, 20 * kKiB, 200 * kKiB, kMiB}) {
      Result<Compressor> compressor = Compressor::make(choice, input_bytes_max);
      ASSERT_TRUE(compressor.ok());
      for (const std::size_t share : {1U, 2U, 5U, 10U, 60U}) {
        Bytes out(input_bytes_max / share);
        ASSERT_TRUE(compressor->compress(ByteView(text).first(out.size()), out).ok());
        EXPECT_LE(compressor->context_bytes(), compression_context_bytes(choice, input_bytes_max))
            << to_string(choice) << " " << input_bytes_max << "/" << share;
      }
    }
  }
  EXPECT_LT(decompression_context_bytes(), 256 * kKiB);
}

class DecompressionTest : public testing::TestWithParam<CompressionChoice> {
 protected:
  const Bytes text_ = text_bytes(5000);
  const Encoded encoded_ = encode(GetParam(), text_);

  void expect_corrupt(ByteView in, std::size_t out_bytes) {
    Bytes out(out_bytes);
    const Result<void> result = decode(encoded_.codec, in, out);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  }
};

TEST_P(DecompressionTest, RefusesEveryTruncation) {
  for (std::size_t bytes = 0; bytes < encoded_.bytes.size(); ++bytes) {
    expect_corrupt(ByteView(encoded_.bytes).first(bytes), text_.size());
  }
}

TEST_P(DecompressionTest, RefusesBytesThatFollow) {
  Bytes extended = encoded_.bytes;
  extended.push_back(0);
  expect_corrupt(extended, text_.size());
  Bytes twice = encoded_.bytes;
  twice.insert(twice.end(), encoded_.bytes.begin(), encoded_.bytes.end());
  expect_corrupt(twice, text_.size());
  if (encoded_.codec != Codec::kRaw) expect_corrupt(twice, text_.size() * 2);  // two raw blocks are a longer raw block
}

TEST_P(DecompressionTest, RefusesAnyOtherLengthOfOutput) {
  for (const std::size_t out_bytes : {std::size_t{0}, std::size_t{1}, text_.size() - 1, text_.size() + 1, kMiB}) {
    expect_corrupt(encoded_.bytes, out_bytes);
  }
}

TEST_P(DecompressionTest, SurvivesEveryFlippedBit) {  // the sanitizers detect memory errors
  Bytes out(text_.size());
  for (std::size_t bit = 0; bit < encoded_.bytes.size() * 8; ++bit) {
    Bytes damaged = encoded_.bytes;
    damaged[bit / 8] = static_cast<Byte>(damaged[bit / 8] ^ (1U << (bit % 8)));
    (void)decode(encoded_.codec, damaged, out).ok();
  }
}

TEST_P(DecompressionTest, SurvivesAnyBytes) {
  EXPECT_TRUE(rc::check([&] {
    Bytes in = *rc::gen::arbitrary<Bytes>();
    if (*rc::gen::arbitrary<bool>()) in.insert(in.begin(), encoded_.bytes.begin(), encoded_.bytes.begin() + 10);
    Bytes out(*rc::gen::inRange<std::size_t>(0, 2000));
    (void)decode(encoded_.codec, in, out).ok();
  }));
}

INSTANTIATE_TEST_SUITE_P(Codecs, DecompressionTest,
                         testing::Values(CompressionChoice{Codec::kRaw, 0}, CompressionChoice{Codec::kLz4, 0},
                                         CompressionChoice{Codec::kZstd, 1}, CompressionChoice{Codec::kZstd, 19}),
                         [](const auto& test) {
                           std::string name = to_string(test.param);
                           std::erase(name, ':');
                           return name;
                         });

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take whatever address space they like
[[noreturn]] void compress_without_memory() {
  const CompressionChoice choice{Codec::kZstd, 19};
  Result<Compressor> made_before = Compressor::make(choice, kMiB);  // its first block allocates the workspace
  const Bytes block = text_bytes(kMiB);
  Bytes out(block.size());
  void* volatile for_messages = std::malloc(3 * kKiB);  // else what the heap has left for them depends on paths
  const rlimit nothing_more{0, 0};
  if (::setrlimit(RLIMIT_AS, &nothing_more) != 0) std::_Exit(2);
  for (std::size_t bytes = kMiB; bytes >= 4 * kKiB; bytes /= 2) {
    for (void* volatile held = &out; held != nullptr;) held = std::malloc(bytes);
  }
  std::free(for_messages);
  const auto code_of = [](const auto& result) { return result.ok() ? ErrorCode::kUsage : result.error().code; };
  const bool right = code_of(Compressor::make(choice, kMiB)) == ErrorCode::kBusy &&
                     code_of(made_before->compress(block, out)) == ErrorCode::kBusy &&
                     code_of(Decompressor::make()) == ErrorCode::kBusy;
  std::_Exit(right ? 0 : 1);
}

TEST(Compressor, ShortMemoryIsNoBug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(compress_without_memory(), ::testing::ExitedWithCode(0), "");
}
#endif

TEST(Decompressor, RefusesACodecThatNobodyKnows) {
  Bytes out(4);
  const Result<void> result = decode(static_cast<Codec>(3), Bytes(4), out);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
}

TEST(Decompressor, RefusesFramesThatAreNotOurs) {
  Bytes out(5);
  // A skippable frame of 0 bytes; then a frame of "hello" that does not declare its content size (zstd, RFC 8878:
  // descriptor 0x00, window 1 KiB, one last raw block).
  EXPECT_FALSE(decode(Codec::kZstd, bytes_from_hex("502a4d1800000000"), {}).ok());
  EXPECT_FALSE(decode(Codec::kZstd, bytes_from_hex("28b52ffd000029000068656c6c6f"), out).ok());
  // The same in a single segment with its content size is accepted.
  ASSERT_TRUE(decode(Codec::kZstd, bytes_from_hex("28b52ffd200529000068656c6c6f"), out).ok());
  EXPECT_EQ(as_text(out), "hello");
  // With a trailing skippable frame, which zstd would ignore, it is refused.
  EXPECT_FALSE(decode(Codec::kZstd, bytes_from_hex("28b52ffd200529000068656c6c6f502a4d1800000000"), out).ok());
  // A frame that declares 4 GiB is refused by its size, before any allocation.
  EXPECT_FALSE(decode(Codec::kZstd, bytes_from_hex("28b52ffda0ffffffff29000068656c6c6f"), out).ok());
}

}  // namespace
}  // namespace drs
