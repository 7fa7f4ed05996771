#include "sinks/cloud/s3/aws_ini.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>

namespace drs {
namespace {

// "[section] group.name=value", one line for each setting.
std::string flat(std::string_view text) {
  const Result<std::vector<AwsIniSection>> sections = parse_aws_ini(text);
  EXPECT_TRUE(sections.ok()) << text;
  std::string out;
  if (!sections.ok()) return out;
  for (const AwsIniSection& section : *sections) {
    if (section.settings.empty()) out += '[' + std::string(section.name) + "]\n";
    for (const AwsIniSetting& setting : section.settings) {
      out += '[' + std::string(section.name) + "] ";
      if (!setting.group.empty()) out += std::string(setting.group) + '.';
      out += std::string(setting.name) + '=' + std::string(setting.value) + '\n';
    }
  }
  return out;
}

TEST(AwsIni, ReadsSectionsAndSettings) {
  EXPECT_EQ(flat("[default]\nregion=eu-west-1\n\n  \n[profile a b]\nx = y = z \r\n[empty]"),
            "[default] region=eu-west-1\n[profile a b] x=y = z\n[empty]\n");
  EXPECT_EQ(flat(""), "");
}

TEST(AwsIni, PassesOverComments) {
  EXPECT_EQ(flat("# first\n[a] # why\n; second\nx=1 # third\ny=2 ; fourth\nz=3#4\nw= # nothing\n"),
            "[a] x=1\n[a] y=2\n[a] z=3#4\n[a] w=\n");
}

TEST(AwsIni, AnIndentedSectionIsReadAsAnyOther) {
  EXPECT_EQ(flat("[a]\n  x=1\n  y=2\n"), "[a] x=1\n[a] y=2\n");
}

TEST(AwsIni, SettingsIndentedBelowAnEmptyOneAreItsGroup) {
  EXPECT_EQ(flat("[services dev]\ns3 =\n  endpoint_url = http://localhost:9000\nsts=\n\tendpoint_url=x\nz=1\n"),
            "[services dev] s3=\n[services dev] s3.endpoint_url=http://localhost:9000\n"
            "[services dev] sts=\n[services dev] sts.endpoint_url=x\n[services dev] z=1\n");
}

TEST(AwsIni, TheRestOfALongValueIsNoSetting) {
  EXPECT_EQ(flat("[a]\nx = one\n  region = two\ny=3\n"), "[a] x=one\n[a] y=3\n");
}

TEST(AwsIni, RefusesLinesItCannotUnderstandWithoutRepeatingThem) {
  for (const char* text :
       {"[a]\nhunter2\n", "x=hunter2", "[a]\n=hunter2", "\n[hunter2", "\n[]", "\n[ ] hunter2", "\n[a] hunter2"}) {
    const Result<std::vector<AwsIniSection>> sections = parse_aws_ini(text);
    ASSERT_FALSE(sections.ok()) << text;
    EXPECT_EQ(sections.error().code, ErrorCode::kUsage);
    const std::string line = std::string_view(text).starts_with('x') ? "line 1 " : "line 2 ";
    EXPECT_EQ(sections.error().message.find(line), 0U) << sections.error().message;
    EXPECT_EQ(sections.error().message.find("hunter2"), std::string::npos);
  }
}

RC_GTEST_PROP(AwsIni, WhateverIsReadLiesInTheText, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::element('[', ']', '=', '#', ' ', '\n', 'a', '\t', '\0'));
  const Result<std::vector<AwsIniSection>> sections = parse_aws_ini(text);
  RC_CLASSIFY(sections.ok());
  if (!sections.ok()) return;
  const auto inside = [&](std::string_view view) {
    return view.empty() || (view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size());
  };
  for (const AwsIniSection& section : *sections) {
    RC_ASSERT(!section.name.empty() && inside(section.name));
    for (const AwsIniSetting& setting : section.settings)
      RC_ASSERT(!setting.name.empty() && inside(setting.name) && inside(setting.value) && inside(setting.group));
  }
}

}  // namespace
}  // namespace drs
