#include "tools/size_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drs {
namespace {

TEST(SizeText, ReadsNumbersWithAndWithoutUnits) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"17B", 17},
      {"64KiB", 64 << 10},
      {"64k", 64 << 10},
      {"64KB", 64'000},
      {"64MiB", 64 << 20},
      {"64 MiB", 64 << 20},
      {"1G", std::uint64_t{1} << 30},
      {"1GB", 1'000'000'000},
      {"1.5G", std::uint64_t{3} << 29},
      {"0.5KiB", 512},
      {"2t", std::uint64_t{2} << 40},
      {"3PB", 3'000'000'000'000'000},
      {"18446744073709551615", UINT64_MAX},
  };
  for (const auto& [text, bytes] : cases) {
    const auto parsed = parse_size(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(SizeText, RefusesWhatIsNoSizeAndSaysWhatIsAccepted) {
  for (const char* text :
       {"", "MiB", "-1", "+1", "1X", "1.5", "1.G", "1..5G", "64 ", "64  M", " 64M", "1e6", "0x10", "1,5G"}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("64MiB"), std::string::npos) << parsed.error().message;
  }
}

TEST(SizeText, RefusesWhatDoesNotFit64Bits) {
  EXPECT_FALSE(parse_size("18446744073709551616").ok());
  EXPECT_FALSE(parse_size("16384P").ok());
  EXPECT_TRUE(parse_size("16383P").ok());
}

TEST(SizeText, PrintsFewDigits) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1 KiB");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(64 << 20), "64 MiB");
  EXPECT_EQ(format_size((std::uint64_t{1} << 30) - 1), "1 GiB");
  EXPECT_EQ(format_size(123'456'789), "117.7 MiB");
  EXPECT_EQ(format_size(UINT64_MAX), "16 EiB");
}

RC_GTEST_PROP(SizeText, ReadsBackWhatItPrintsWithinOnePercent, ()) {
  const auto bytes = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 59);
  std::string text = format_size(bytes);
  if (text.ends_with("EiB")) return;
  const auto parsed = parse_size(text);
  RC_ASSERT(parsed.ok());
  const double difference = std::abs(static_cast<double>(*parsed) - static_cast<double>(bytes));
  RC_ASSERT(difference <= 0.01 * static_cast<double>(bytes));
}

}  // namespace
}  // namespace drs
