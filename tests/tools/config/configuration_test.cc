#include "tools/config/configuration.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/io/temporary_directory.h"
#include "tools/application.h"
#include "tools/repository/repository_location.h"

namespace drs {
namespace {

class ConfigurationTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name :
         {"DRSTREAM_MEMORY", "DRSTREAM_REGION", "DRSTREAM_KEY_FILE", "DRSTREAM_PASSPHRASE", "BACKUP_ENCRYPTION_KEY"})
      ::unsetenv(name);
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.file(name)) << text;
    ::chmod(directory_.file(name).c_str(), 0600);
  }
  void write_user(const std::string& text) { write("user.toml", text); }
  void write_system(const std::string& text) { write("system.toml", text); }

  // Parses a command line, then the files.
  Result<Configuration> configured(const std::vector<std::string>& words) {
    return configured(words, directory_.file("user.toml"));
  }
  Result<Configuration> configured(const std::vector<std::string>& words, const std::string& user) {
    model_ = std::make_unique<CommandModel>();
    CommandModel scratch;
    model_->root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    CancelToken none;
    return configure({model_->root, model_->options, scratch.root}, {user, directory_.file("system.toml")}, none);
  }
  GlobalOptions options(const std::vector<std::string>& words) {
    const auto result = configured(words);
    EXPECT_TRUE(result.ok()) << result.error().message;
    return model_->options;
  }
  std::string refusal(const std::string& user) {
    write_user(user);
    const auto result = configured({"list"});
    EXPECT_FALSE(result.ok()) << user;
    if (result.ok()) return "";
    EXPECT_EQ(result.error().code, ErrorCode::kUsage);
    return result.error().message;
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<CommandModel> model_;
};

TEST_F(ConfigurationTest, AnOptionComesBeforeAVariableBeforeTheUsersFileBeforeTheSystems) {
  write_system("memory = \"100MiB\"\nthreads = 1\nregion = \"system\"\nquiet = true\n");
  write_user("memory = \"200MiB\"\nthreads = 2\nregion = \"user\"\n");
  ::setenv("DRSTREAM_MEMORY", "300MiB", 1);
  ::setenv("DRSTREAM_REGION", "variable", 1);
  const GlobalOptions all = options({"list", "--memory", "400MiB"});
  EXPECT_EQ(all.memory, 400 * kMiB);
  EXPECT_EQ(all.cloud.region, "variable");
  EXPECT_EQ(all.threads, 2U);
  EXPECT_TRUE(all.log.quiet);
}

TEST_F(ConfigurationTest, SaysWhereEachSettingComesFrom) {
  write_system("quiet = true\nthreads = 1\n");
  write_user("\nthreads = 2\n");
  ::setenv("DRSTREAM_REGION", "variable", 1);
  const auto configuration = configured({"list", "--memory", "400MiB"});
  ASSERT_TRUE(configuration.ok());
  std::map<std::string, std::string> origins;
  for (const auto& value : configuration->settings) origins[value.key] = value.origin;
  const std::map<std::string, std::string> expected = {{"memory", "--memory"},
                                                       {"region", "DRSTREAM_REGION"},
                                                       {"threads", directory_.file("user.toml") + ":2"},
                                                       {"quiet", directory_.file("system.toml") + ":1"}};
  EXPECT_EQ(origins, expected);
  EXPECT_EQ(configuration->files.size(), 2U);
}

TEST_F(ConfigurationTest, AFileOfConfigTakesThePlaceOfBoth) {
  write_system("threads = 1\n");
  write_user("region = \"user\"\n");
  write("own.toml", "quiet = true\n");
  const GlobalOptions own = options({"list", "--config", directory_.file("own.toml")});
  EXPECT_TRUE(own.log.quiet);
  EXPECT_EQ(own.threads, 0U);
  EXPECT_EQ(own.cloud.region, "");
  const auto absent = configured({"list", "--config", directory_.file("absent")});
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kUsage);
}

TEST_F(ConfigurationTest, AKeyInTheEnvironmentTakesThePlaceOfOneInAFile) {
  write_system("key-file = \"/system\"\n");
  write_user("passphrase-file = \"/user\"\n");
  GlobalOptions from_file = options({"list"});
  EXPECT_EQ(from_file.key.passphrase_file, "/user");
  EXPECT_EQ(from_file.key.key_file, "");
  for (const char* variable : {"BACKUP_ENCRYPTION_KEY", "DRSTREAM_PASSPHRASE"}) {
    ::setenv(variable, "secret", 1);
    EXPECT_FALSE(options({"list"}).key.any()) << variable;
    ::unsetenv(variable);
  }
  ::setenv("DRSTREAM_KEY_FILE", "/variable", 1);
  const GlobalOptions from_variable = options({"list"});
  EXPECT_EQ(from_variable.key.key_file, "/variable");
  EXPECT_EQ(from_variable.key.passphrase_file, "");
}

TEST_F(ConfigurationTest, ANamedRepositoryIsAPlaceWithItsSettings) {
  write_user(
      "region = \"one\"\ncache-size = \"1MiB\"\n"
      "[repository.far]\nplace = \"s3://bucket/prefix\"\nendpoint-url = \"https://two\"\nprofile = \"offsite\"\n"
      "key-file = \"/k\"\ncache-dir = \"/c\"\nlimit-upload = \"1MiB\"\nlock-days = 30\nobject-tag = [\"a=b\"]\n"
      "[repository.near]\nplace = \"/mnt/near\"\n");
  ::setenv("DRSTREAM_REGION", "variable", 1);
  const GlobalOptions all = options({"list", "-r", "@far"});
  const auto far = repository_location(all);
  ASSERT_TRUE(far.ok()) << far.error().message;
  EXPECT_EQ(far->kind, RepositoryLocation::Kind::kS3);
  EXPECT_EQ(far->name, "s3://bucket/prefix");
  EXPECT_EQ(far->cloud.endpoint_url, "https://two");
  EXPECT_EQ(far->cloud.region, "variable") << "what the table does not say comes from the settings";
  EXPECT_EQ(far->cloud.profile, "offsite");
  EXPECT_EQ(far->cloud.lock_days, 30U);
  EXPECT_EQ(far->cloud.object_tags, std::vector<std::string>{"a=b"});
  EXPECT_EQ(far->key.key_file, "/k");
  EXPECT_EQ(far->cache.folder, "/c");
  EXPECT_EQ(far->cache.size_bytes, kMiB);
  ASSERT_NE(far->cloud.upload_limit, nullptr);
  EXPECT_EQ(all.cloud.upload_limit, nullptr);
  EXPECT_EQ(repository_location(all)->cloud.upload_limit, far->cloud.upload_limit)
      << "one limit, however often it is named";
  const auto near = parse_repository_location("@near", all);
  ASSERT_TRUE(near.ok());
  EXPECT_EQ(near->name, "/mnt/near");
  EXPECT_FALSE(near->key.any());
}

TEST_F(ConfigurationTest, OnlyTheCommandLineComesBeforeTheTableOfTheRepository) {
  write_user(
      "[repository.a]\nplace = \"s3://a\"\nregion = \"a\"\nkey-file = \"/a\"\n"
      "[repository.b]\nplace = \"s3://b\"\nregion = \"b\"\nkey-file = \"/b\"\n");
  ::setenv("DRSTREAM_REGION", "variable", 1);
  ::setenv("DRSTREAM_KEY_FILE", "/variable", 1);
  EXPECT_EQ(repository_location(options({"list", "-r", "@a"}))->cloud.region, "a");
  EXPECT_EQ(repository_location(options({"list", "-r", "@a"}))->key.key_file, "/a");
  const GlobalOptions typed = options({"list", "-r", "@a", "--region", "typed", "--key-file", "/typed"});
  const auto a = repository_location(typed);
  EXPECT_EQ(a->cloud.region, "typed");
  EXPECT_FALSE(a->key.any()) << "the options' key is used";
  EXPECT_EQ(typed.key.key_file, "/typed");
  const auto b = parse_repository_location("@b", typed);
  EXPECT_EQ(b->cloud.region, "b") << "another repository of the command is what its table says";
  EXPECT_EQ(b->key.key_file, "/b");
}

TEST_F(ConfigurationTest, TheUsersTableTakesThePlaceOfTheSystemsWhole) {
  write_system("[repository.a]\nplace = \"/system\"\nkey-file = \"/k\"\n[repository.b]\nplace = \"/b\"\n");
  write_user("repo = \"@a\"\n[repository.a]\nplace = \"/user\"\n");
  const GlobalOptions all = options({"list"});
  const auto place = repository_location(all);
  ASSERT_TRUE(place.ok());
  EXPECT_EQ(place->name, "/user");
  EXPECT_FALSE(place->key.any());
  EXPECT_EQ(parse_repository_location("@b", all)->name, "/b");
  const auto unknown = parse_repository_location("@c", all);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("it has @a, @b"), std::string::npos) << unknown.error().message;
}

TEST_F(ConfigurationTest, ErrorsNameFileLineAndKey) {
  const std::string table = "[repository.a]\nplace = \"/a\"\n";
  const std::string bucket = "[repository.a]\nplace = \"s3://a\"\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\nmemroy = \"1G\"\n", ":2: there is no setting 'memroy'; did you mean 'memory'?"},
      {"key_file = \"/k\"\n", ":1: there is no setting 'key_file'; did you mean 'key-file'?"},
      {"memory = \"lots\"\n", ":1: memory: 'lots'"},
      {"memory = true\n", ":1: 'memory' takes a number, or text in quotes"},
      {"region = 5\n", ":1: 'region' takes text in quotes"},
      {"region = [\"a\"]\n", ":1: 'region' takes one value"},
      {"no-cache = \"true\"\n", ":1: 'no-cache' takes true or false, without quotes"},
      {"io = \"magic\"\n", ":1: io: 'magic' is not known; accepted is auto|uring|posix"},
      {"threads = 0\n", ":1: threads: '0' is not accepted"},
      {"spool = \"spool\"\n", ":1: 'spool' takes a path that begins with /"},
      {"repo = \"backups\"\n", ":1: 'repo' takes a path that begins with /"},
      {"max-shrink = \"10%\"\n", ":1: --max-shrink is not a setting: give it on the command line"},
      {"force = true\n", ":1: --force is not a setting: give it on the command line"},
      {"config = \"/x\"\n", ":1: --config is not a setting: give it on the command line"},
      {"key-file = \"/k\"\npassphrase-file = \"/p\"\n", ":2: 'key-file' and 'passphrase-file' exclude each other"},
      {"place = \"/a\"\n", ":1: 'place' is a setting of one repository"},
      {table + "colour = \"red\"\n", ":3: a repository has no setting 'colour'"},
      {table + "keyfile = \"/k\"\n",
       ":3: a repository has no setting 'keyfile' ([repository.a]); did you mean 'key-file'?"},
      {table + "memory = \"1G\"\n", ":3: 'memory' is not a setting of one repository"},
      {table + "region = \"x\"\n", ":3: 'region' is not a setting of a directory"},
      {table + "cache-dir = \"/c\"\n", ":3: 'cache-dir' is not a setting of a directory"},
      {bucket + "credentials-file = \"/c\"\n", ":3: 'credentials-file' is not a setting of a bucket of S3"},
      {bucket + "address-style = \"odd\"\n", ":3: address-style: 'odd'"},
      {"[repository.a]\nkey-file = \"/k\"\n", ":1: [repository.a] names no place"},
      {"[repository.a]\nplace = \"a\"\n", ":2: 'place' takes a path that begins with /"},
      {"[repository.a]\nplace = \"@b\"\n", ":2: 'place' takes a directory"},
      {"[repository.a]\nplace = \"ftp://x\"\n", ":2: the repository 'ftp://x' is not supported"}};
  for (const auto& [text, message] : cases) {
    const std::string told = refusal(text);
    EXPECT_TRUE(told.starts_with(directory_.file("user.toml") + ":")) << told;
    EXPECT_NE(told.find(message), std::string::npos) << told << "\nfor: " << text;
  }
}

TEST_F(ConfigurationTest, AWrongValueIsRefusedAlsoWhereAnOptionWins) {
  write_user("memory = \"lots\"\n");
  EXPECT_FALSE(configured({"list", "--memory", "1GiB"}).ok());
  write_user("spool-size = \"lots\"\n");
  EXPECT_FALSE(configured({"list"}).ok()) << "a setting of another command";
}

TEST_F(ConfigurationTest, OnlyAFileOfTheSystemMayBeUnreadable) {
  write_system("threads = 1\n");
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0), 0);
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto of_system = configured({"list"}, "");
  const std::uint64_t threads = model_->options.threads;
  const auto of_user = configured({"list"});
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(directory_.path().c_str(), 0700);
  ASSERT_TRUE(of_system.ok()) << of_system.error().message;
  ASSERT_EQ(of_system->warnings.size(), 1U);
  EXPECT_NE(of_system->warnings[0].find("Permission denied"), std::string::npos);
  EXPECT_EQ(threads, 0U);
  ASSERT_FALSE(of_user.ok());
  EXPECT_EQ(of_user.error().code, ErrorCode::kUsage);
}

TEST_F(ConfigurationTest, TakesNoSecretAndShowsNone) {
  const std::string key(64, 'd');
  const std::vector<std::string> texts = {"passphrase = \"hunter2 hunter2\"\n", "encryption_key = \"hunter2\"\n",
                                          "key-file = \"" + key + "\"\n",
                                          "[repository.a]\nplace = \"/a\"\nkey = \"hunter2\"\n",
                                          "[repository.a]\nplace = \"s3://a\"\nsecret-access-key = \"hunter2\"\n"};
  for (const std::string& text : texts) {
    const std::string told = refusal(text);
    EXPECT_NE(told.find("key-file"), std::string::npos) << told;
    EXPECT_NE(told.find("holds a secret"), std::string::npos) << told;
    EXPECT_EQ(told.find("hunter2"), std::string::npos) << told;
    EXPECT_EQ(told.find(key), std::string::npos) << told;
  }
}

}  // namespace
}  // namespace drs
