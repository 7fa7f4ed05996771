#include "tools/config/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

using Form = ConfigEntry::Form;

std::string refusal(std::string_view text) {
  const auto file = parse_config_file(text, "/etc/c.toml");
  EXPECT_FALSE(file.ok()) << text;
  if (file.ok()) return "";
  EXPECT_EQ(file.error().code, ErrorCode::kUsage) << text;
  return file.error().message;
}

TEST(ConfigFile, GivesEachKeyWithItsLineAndForm) {
  const auto file = parse_config_file(
      "memory = \"1GiB\"\n"
      "threads = 4\n"
      "\n"
      "no-cache = true\n"
      "object-tag = [\"a=1\", \"b=2\"]\n"
      "[repository.offsite]\n"
      "place = '/mnt/a'\n"
      "[repository.far]\n"
      "region = \"x\"\n",
      "/etc/c.toml");
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->entries.size(), 4U);
  EXPECT_EQ(file->entries[0].key, "memory");
  EXPECT_EQ(file->entries[0].origin, "/etc/c.toml:1");
  EXPECT_EQ(file->entries[1].form, Form::kInteger);
  EXPECT_EQ(file->entries[1].values, std::vector<std::string>{"4"});
  EXPECT_EQ(file->entries[2].form, Form::kBoolean);
  EXPECT_EQ(file->entries[2].origin, "/etc/c.toml:4");
  EXPECT_EQ(file->entries[3].values, (std::vector<std::string>{"a=1", "b=2"}));
  ASSERT_EQ(file->repositories.size(), 2U);
  const ConfigTable& offsite = file->repositories[1];
  EXPECT_EQ(offsite.name, "offsite");
  EXPECT_EQ(offsite.origin, "/etc/c.toml:6");
  ASSERT_EQ(offsite.entries.size(), 1U);
  EXPECT_EQ(offsite.entries[0].origin, "/etc/c.toml:7");
}

std::string deep_key(std::size_t parts) {
  std::string key = "a";
  for (std::size_t part = 1; part < parts; ++part) key += ".a";
  return key;
}

TEST(ConfigFile, SaysOnWhichLineItIsNotAsItMustBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a = 1\nb = = 2\n", "/etc/c.toml:2: not valid TOML"},
      {"a = 1\na = 2\n", "/etc/c.toml:2: not valid TOML"},
      {"\na = 1.5\n", "/etc/c.toml:2: 'a'"},
      {"a = 2026-01-01\n", "/etc/c.toml:1: 'a'"},
      {"a = [1, 2]\n", "/etc/c.toml:1: 'a'"},
      {"a = []\n", "/etc/c.toml:1: 'a'"},
      {"\n[retention]\n", "/etc/c.toml:2: the rules of a retention stand below [[retention]]"},
      {"[[other]]\nx = 1\n", "/etc/c.toml:1: there is no table 'other'"},
      {"[repository]\nplace = \"/x\"\n", "/etc/c.toml:2: 'place' belongs to no repository"},
      {"[repository.\"a b\"]\n", "/etc/c.toml:1: 'a b' is not a name"},
      {"[repository.a]\n[repository.a.b]\n", "/etc/c.toml:2: there is no table 'b'"},
      {"repository = \"/x\"\n", "/etc/c.toml:1: a file names the repository by `repo = ...`"},
      {"repository = \"/x\"\n[repository.a]\n", "`repo = ...`"},
      // The parser would overflow the stack.
      {"x = 1\n" + deep_key(100'000) + " = 1\n", "/etc/c.toml:2: not valid TOML: a key of more than 64 parts"},
      {"[" + deep_key(100'000) + "]\n", "/etc/c.toml:1: not valid TOML: a key of more than 64 parts"}};
  for (const auto& [text, message] : cases) EXPECT_NE(refusal(text).find(message), std::string::npos) << refusal(text);
}

TEST(ConfigFile, NeverShowsAKeyThatStandsInIt) {
  const std::string key(64, 'd');
  for (const std::string& text : {"key-file = " + key + "\n", key + " = 1.5\n", key + "\n"})
    EXPECT_EQ(refusal(text).find(key), std::string::npos) << refusal(text);
}

class ConfigFileOnDisk : public ::testing::Test {
 protected:
  Result<std::optional<std::string>> read(mode_t mode) {
    const std::string path = directory_.file("c.toml");
    std::ofstream(path) << "threads = 1\n";
    ::chmod(path.c_str(), mode);
    return read_config_file(path, cancel_);
  }
  test::TemporaryDirectory directory_;
  CancelToken cancel_;
};

TEST_F(ConfigFileOnDisk, IsRefusedWhereOthersMayWriteIt) {
  for (const mode_t mode : {0600U, 0640U, 0644U}) EXPECT_TRUE(read(mode).ok()) << std::oct << mode;
  for (const mode_t mode : {0620U, 0664U, 0602U, 0666U}) {
    const auto text = read(mode);
    ASSERT_FALSE(text.ok()) << std::oct << mode;
    EXPECT_EQ(text.error().code, ErrorCode::kUsage);
    EXPECT_NE(text.error().message.find("users other than its owner can write it"), std::string::npos);
  }
}

TEST_F(ConfigFileOnDisk, IsRefusedWhereItBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "it takes root to give a file away";
  ASSERT_TRUE(read(0644).ok());
  ASSERT_EQ(::chown(directory_.file("c.toml").c_str(), 12345, 0), 0);
  const auto text = read_config_file(directory_.file("c.toml"), cancel_);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code, ErrorCode::kUsage);
  EXPECT_NE(text.error().message.find("belongs to user 12345"), std::string::npos);
}

TEST_F(ConfigFileOnDisk, NeedNotBeThere) {
  const auto absent = read_config_file(directory_.file("absent"), cancel_);
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(absent->has_value());
  EXPECT_EQ(**read_config_file("/dev/null", cancel_), "");
  EXPECT_FALSE(read_config_file(directory_.path(), cancel_).ok());
}

}  // namespace
}  // namespace drs
