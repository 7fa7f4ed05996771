#include "tools/repository/keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

constexpr const char* kKey = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

KeyOptions key_file(const std::string& path) {
  KeyOptions options;
  options.key_file = path;
  return options;
}

KeyOptions passphrase_file(const std::string& path) {
  KeyOptions options;
  options.passphrase_file = path;
  return options;
}

KeyOptions passphrase_command(const std::string& command) {
  KeyOptions options;
  options.passphrase_command = command;
  return options;
}

// With a token that is never set.
Result<SuppliedSecret> take_supplied_secret(const KeyOptions& options) {
  CancelToken none;
  return drs::take_supplied_secret(options, none);
}
Result<SuppliedSecret> read_source_secret(const KeyOptions& options) {
  CancelToken none;
  return drs::read_source_secret(options, none);
}

class KeysTest : public ::testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (const std::string& name : key_variable_names()) ::unsetenv(name.c_str());
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = directory_.file(name);
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  test::TemporaryDirectory directory_;
};

void expect_key(const Result<SuppliedSecret>& supplied) {
  ASSERT_TRUE(supplied.ok()) << supplied.error().message;
  EXPECT_EQ(supplied->secret.kind, SlotKind::kRawKey);
  EXPECT_EQ(to_hex(supplied->secret.bytes.view()), "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

void expect_passphrase(const Result<SuppliedSecret>& supplied, std::string_view text) {
  ASSERT_TRUE(supplied.ok()) << supplied.error().message;
  EXPECT_EQ(supplied->secret.kind, SlotKind::kPassphrase);
  EXPECT_EQ(as_text(supplied->secret.bytes.view()), text);
}

TEST_F(KeysTest, NothingSuppliedIsNoError) {
  const auto supplied = take_supplied_secret({});
  ASSERT_TRUE(supplied.ok());
  EXPECT_FALSE(supplied->given());
  EXPECT_FALSE(key_is_supplied({}));
}

TEST_F(KeysTest, TakesAKeyFromEachPlace) {
  const std::string file = write("key", std::string(kKey) + "\n");
  expect_key(take_supplied_secret(key_file(file)));
  ::setenv("BACKUP_ENCRYPTION_KEY_FILE", file.c_str(), 1);
  EXPECT_TRUE(key_is_supplied({}));
  expect_key(take_supplied_secret({}));
  ::setenv("BACKUP_ENCRYPTION_KEY", kKey, 1);
  EXPECT_TRUE(key_is_supplied({}));
  expect_key(take_supplied_secret({}));
}

TEST_F(KeysTest, TakesAPassphraseFromAFileOrACommand) {
  expect_passphrase(take_supplied_secret(passphrase_file(write("p", "correct horse battery\n"))),
                    "correct horse battery");
  expect_passphrase(take_supplied_secret(passphrase_file(write("q", "correct horse battery\r\n"))),
                    "correct horse battery");
  expect_passphrase(take_supplied_secret(passphrase_file(write("r", " two  blanks \n"))), " two  blanks ");
  for (const char* lines : {"one\ntwo\n", "one\n\n", "\none"}) {
    const auto refused = take_supplied_secret(passphrase_file(write("s", lines)));
    ASSERT_FALSE(refused.ok()) << lines;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
  expect_passphrase(take_supplied_secret(passphrase_command("printf 'correct horse'")), "correct horse");
}

TEST_F(KeysTest, OptionsComeBeforeTheEnvironmentAndFilesBeforeKeys) {
  const std::string file = write("p", "from the file\n");
  ::setenv("BACKUP_ENCRYPTION_KEY", kKey, 1);
  expect_passphrase(take_supplied_secret(passphrase_file(file)), "from the file");
  ::setenv("BACKUP_ENCRYPTION_KEY", "not hex, and never looked at", 1);
  ::setenv("BACKUP_ENCRYPTION_KEY_FILE", write("key", kKey).c_str(), 1);
  expect_key(take_supplied_secret({}));
}

TEST_F(KeysTest, RefusesTwoOptionsAtOnce) {
  const auto supplied = [] {
    KeyOptions both = key_file("a");
    both.passphrase_file = "b";
    return take_supplied_secret(both);
  }();
  ASSERT_FALSE(supplied.ok());
  EXPECT_EQ(supplied.error().code, ErrorCode::kUsage);
}

TEST_F(KeysTest, WipesAndRemovesTheVariables) {
  for (const bool good : {true, false}) {
    ::setenv("BACKUP_ENCRYPTION_KEY", good ? kKey : "bad", 1);
    ::setenv("DRSTREAM_PASSPHRASE_COMMAND", "x", 1);
    const char* const where = ::getenv("BACKUP_ENCRYPTION_KEY");
    EXPECT_EQ(take_supplied_secret({}).ok(), good);
    EXPECT_EQ(*where, '\0');
    for (const std::string& name : key_variable_names()) EXPECT_EQ(::getenv(name.c_str()), nullptr) << name;
  }
}

TEST_F(KeysTest, TheSourceOfACopyHasVariablesOfItsOwn) {
  ::setenv("BACKUP_ENCRYPTION_KEY", std::string(64, '7').c_str(), 1);
  const auto nothing = read_source_secret({});
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->given());
  ::setenv("BACKUP_FROM_ENCRYPTION_KEY", kKey, 1);
  expect_key(read_source_secret({}));
  ::setenv("BACKUP_FROM_ENCRYPTION_KEY", "never looked at", 1);
  ::setenv("BACKUP_FROM_ENCRYPTION_KEY_FILE", write("key", kKey).c_str(), 1);
  expect_key(read_source_secret({}));
  expect_passphrase(read_source_secret(passphrase_file(write("p", "from the file\n"))), "from the file");
  EXPECT_NE(::getenv("BACKUP_FROM_ENCRYPTION_KEY"), nullptr);
}

TEST_F(KeysTest, RefusesBadKeysWithoutEchoingThem) {
  const std::string key = kKey;
  const std::vector<std::string> bad = {key.substr(1),       key + "0",           key + "\n\n", key + " ",
                                        " " + key.substr(1), "g" + key.substr(1), "x",          std::string(64, '0'),
                                        std::string(64, 'a')};
  for (const std::string& text : bad) {
    const auto parsed = raw_key_of_text(as_bytes(text), "BACKUP_ENCRYPTION_KEY");
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kWrongKey);
    EXPECT_NE(parsed.error().message.find("BACKUP_ENCRYPTION_KEY"), std::string::npos);
    for (std::size_t i = 0; i + 8 <= text.size(); ++i)
      EXPECT_EQ(parsed.error().message.find(text.substr(i, 8)), std::string::npos) << parsed.error().message;
  }
}

TEST_F(KeysTest, RefusesUnreadableEmptyAndOverlongFiles) {
  const std::vector<KeyOptions> bad = {key_file(directory_.file("absent")),
                                       key_file(directory_.path()),
                                       passphrase_file(write("empty", "")),
                                       passphrase_file(write("feed", "\n")),
                                       passphrase_file(write("long", std::string(70'000, 'x'))),
                                       key_file(write("empty", "")),
                                       passphrase_command("false"),
                                       passphrase_command("/no/such/command"),
                                       passphrase_command("true"),
                                       passphrase_command("sh -c 'kill -9 $$'")};
  for (const KeyOptions& options : bad) {
    const auto supplied = take_supplied_secret(options);
    ASSERT_FALSE(supplied.ok());
    EXPECT_EQ(supplied.error().code, ErrorCode::kWrongKey) << supplied.error().message;
  }
}

TEST_F(KeysTest, WarnsOfFilesThatOthersMayRead) {
  const auto open_file = take_supplied_secret(key_file(write("open", kKey, 0644)));
  ASSERT_TRUE(open_file.ok());
  ASSERT_EQ(open_file->warnings.size(), 1U);
  EXPECT_NE(open_file->warnings[0].find("chmod 600"), std::string::npos);
  EXPECT_TRUE(take_supplied_secret(key_file(write("closed", kKey, 0600)))->warnings.empty());
}

TEST(KeyFileMode, RootMayLetOneGroupRead) {
  for (const mode_t mode : {0400U, 0600U, 0440U, 0640U}) EXPECT_FALSE(is_open_to_others(0, mode)) << mode;
  for (const mode_t mode : {0444U, 0644U, 0460U, 0660U, 0450U, 0404U}) EXPECT_TRUE(is_open_to_others(0, mode)) << mode;
}

TEST(KeyFileMode, AnyOtherOwnerLetsNobodyRead) {
  for (const mode_t mode : {0400U, 0600U, 0700U}) EXPECT_FALSE(is_open_to_others(1000, mode)) << mode;
  for (const mode_t mode : {0440U, 0640U, 0604U, 0610U}) EXPECT_TRUE(is_open_to_others(1000, mode)) << mode;
}

TEST_F(KeysTest, ThePassphraseCommandSeesNoKeyAndNoStdin) {
  ::setenv("BACKUP_ENCRYPTION_KEY", kKey, 1);
  expect_passphrase(take_supplied_secret(passphrase_command("sh -c 'echo seen:$BACKUP_ENCRYPTION_KEY:$(cat)'")),
                    "seen::");
}

TEST_F(KeysTest, AnAnswerOf64HexDigitsIsAKey) {
  EXPECT_EQ(secret_of_answer(SecretBytes::copy_of(as_bytes(kKey)))->kind, SlotKind::kRawKey);
  EXPECT_EQ(secret_of_answer(SecretBytes::copy_of(as_bytes("open sesame")))->kind, SlotKind::kPassphrase);
  EXPECT_FALSE(secret_of_answer(SecretBytes()).ok());
}

TEST_F(KeysTest, ANewSecretIsAskedForTwice) {
  std::vector<std::string> answers = {"one", "one", "one", "two"};
  std::size_t asked = 0;
  const Prompt prompt = [&](const std::string&) -> Result<SecretBytes> {
    return SecretBytes::copy_of(as_bytes(answers[asked++]));
  };
  EXPECT_TRUE(prompt_new_secret(prompt).ok());
  const auto differing = prompt_new_secret(prompt);
  ASSERT_FALSE(differing.ok());
  EXPECT_EQ(differing.error().code, ErrorCode::kWrongKey);
}

TEST_F(KeysTest, APassphraseMayComeFromAVariableWithAWarningAndIsWiped) {
  ::setenv("DRSTREAM_PASSPHRASE", "correct horse battery", 1);
  const char* const where = ::getenv("DRSTREAM_PASSPHRASE");
  EXPECT_TRUE(key_is_supplied({}));
  const auto supplied = take_supplied_secret({});
  expect_passphrase(supplied, "correct horse battery");
  ASSERT_EQ(supplied->warnings.size(), 1U);
  EXPECT_NE(supplied->warnings[0].find("--passphrase-file"), std::string::npos);
  EXPECT_EQ(::getenv("DRSTREAM_PASSPHRASE"), nullptr);
  EXPECT_EQ(std::string(where, 7), std::string(7, '\0')) << "overwritten where /proc/PID/environ shows it";
}

TEST_F(KeysTest, APassphraseOfTheEnvironmentIsTheLastResort) {
  ::setenv("DRSTREAM_PASSPHRASE", "correct horse battery", 1);
  ::setenv("BACKUP_ENCRYPTION_KEY", kKey, 1);
  expect_key(take_supplied_secret({}));
}

}  // namespace
}  // namespace drs
