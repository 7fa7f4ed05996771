// Properties of every decoder: it accepts what its encoder writes, refuses each malformed input with the error in the
// input's name, and never accepts bytes that its encoder would not write.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/engine/format/decoders.h"
#include "tests/engine/format/malformed.h"

namespace drs {
namespace {

const FormatDecoder& decoder_named(std::string_view name) {
  const auto decoders = format_decoders();
  const auto found = std::ranges::find(decoders, name, &FormatDecoder::name);
  DRS_ASSERT(found != decoders.end(), "no decoder has that name");
  return *found;
}

TEST(FormatDecoders, GiveBackWhatTheEncodersWrote) {
  for (const auto& [name, input] : golden::well_formed_inputs()) {
    const auto again = decoder_named(name.substr(0, name.find('/'))).reencode(input);
    ASSERT_TRUE(again.ok()) << name << ": " << again.error().message;
    EXPECT_EQ(*again, input) << name;
  }
}

TEST(FormatDecoders, RefuseEachMalformedInputWithTheErrorOfItsName) {
  const auto inputs = golden::malformed_inputs();
  EXPECT_GE(inputs.size(), 40U);
  for (const auto& [name, made] : inputs) {
    std::ifstream file(std::string(DRS_GOLDEN_DIRECTORY "/malformed/") + name, std::ios::binary);
    const Bytes stored((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_EQ(stored, made) << name << ": differs from the file in tests/golden/malformed";
    const std::size_t code_at = name.rfind("__") + 2;
    const auto result = decoder_named(name.substr(0, name.find("__"))).reencode(made);
    ASSERT_FALSE(result.ok()) << name;
    EXPECT_EQ(error_code_name(result.error().code), name.substr(code_at, name.size() - code_at - 4))
        << name << ": " << result.error().message;
    EXPECT_GT(result.error().message.size(), 10U) << name;
  }
}

TEST(FormatDecoders, RefuseEveryTruncation) {
  for (const auto& [name, input] : golden::well_formed_inputs()) {
    if (name.starts_with("slot_unlock/")) continue;  // scrypt is slow, and slot/ covers it
    const FormatDecoder& decoder = decoder_named(name.substr(0, name.find('/')));
    for (std::size_t bytes = 0; bytes < input.size(); ++bytes) {
      // An exact copy, so that AddressSanitizer detects reads past its end.
      const Bytes cut(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(bytes));
      const auto result = decoder.reencode(cut);
      ASSERT_FALSE(result.ok()) << name << " cut to " << bytes << " of " << input.size() << " bytes";
      const ErrorCode code = result.error().code;
      EXPECT_TRUE(code == ErrorCode::kTruncated || code == ErrorCode::kCorrupt)
          << name << ": " << result.error().message;
    }
  }
}

TEST(FormatDecoders, AcceptAFlippedBitOnlyWhereTheEncoderWouldWriteIt) {
  for (const auto& [name, input] : golden::well_formed_inputs()) {
    if (name.starts_with("slot_unlock/")) continue;
    const std::string decoder = name.substr(0, name.find('/'));
    Bytes flipped = input;
    for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
      flipped[bit / 8] = static_cast<Byte>(flipped[bit / 8] ^ (1U << (bit % 8)));
      check_canonical(decoder, flipped);
      flipped[bit / 8] = input[bit / 8];
    }
  }
}

TEST(FormatDecoders, DetectEveryFlippedBitOfADigestedObject) {
  const auto inputs = golden::well_formed_inputs();
  for (const std::string name : {"slot/raw", "damaged/golden", "document/config", "document/manifest"}) {
    const Bytes& input = inputs.at(name);
    const std::string decoder = name.substr(0, name.find('/'));
    Bytes flipped = input;
    // The test input of a document begins with a kind, taken modulo the number of kinds, so that flips there may be
    // valid.
    for (std::size_t at = decoder == "document" ? 1 : 0; at < input.size(); ++at) {
      flipped[at] = static_cast<Byte>(flipped[at] ^ (1U << (at % 8)));
      EXPECT_FALSE(decoder_named(decoder).reencode(flipped).ok()) << name << " at " << at;
      flipped[at] = input[at];
    }
  }
}

}  // namespace
}  // namespace drs
