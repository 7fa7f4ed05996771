#include "tools/config/expectation.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

Result<std::vector<Expectation>> expectations_of(const std::string& text) {
  DRS_ASSIGN_OR_RETURN(const ConfigFile file, parse_config_file(text, "/etc/c.toml"));
  std::vector<Expectation> out;
  for (const ConfigTable& table : file.expectations) {
    DRS_ASSIGN_OR_RETURN(out.emplace_back(), read_expectation(table));
  }
  return out;
}

TEST(Expectation, NamesStreamsAndHowOldTheirNewestSnapshotMayBe) {
  const auto read = expectations_of(
      "[[expect]]\nstreams = [\"pg/app\", \"kafka/\"]\nnewest-within = \"25h\"\n"
      "[[expect]]\nstreams = \"*-test\"\nignore = true\n");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].streams, (std::vector<std::string>{"pg/app", "kafka/"}));
  EXPECT_EQ((*read)[0].newest_within, std::chrono::hours(25));
  EXPECT_FALSE((*read)[0].ignored);
  EXPECT_EQ((*read)[0].origin, "/etc/c.toml:1");
  EXPECT_TRUE((*read)[1].ignored);
}

TEST(Expectation, WhatCannotBeIsRefusedWithItsLine) {
  for (const auto& [text, expected] : {
           std::pair{"[expect]\n", "/etc/c.toml:1: what is expected stands below [[expect]]"},
           {"[[expect]]\nnewest-within = \"25h\"\n", "/etc/c.toml:1: an expectation is for no stream"},
           {"[[expect]]\nstreams = \"a b\"\n", "'a b' is not a stream name"},
           {"[[expect]]\nstreams = \"*\"\nnewest-within = \"soon\"\n", "/etc/c.toml:3: "},
           {"[[expect]]\nstreams = \"*\"\nkeep-daily = 7\n", "/etc/c.toml:3: an expectation has no key 'keep-daily'"},
           {"[[expect]]\nstreams = \"*\"\nignore = true\nnewest-within = \"1h\"\n", "have no newest-within"},
       }) {
    const auto read = expectations_of(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kUsage) << text;
    EXPECT_NE(read.error().message.find(expected), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace drs
