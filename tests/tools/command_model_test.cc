#include <gtest/gtest.h>
#include <stdlib.h>

#include <set>

#include "tools/application.h"
#include "tools/cli/command_tree.h"

namespace drs {
namespace {

void parse(CommandModel& model, std::vector<std::string> words) {
  model.root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
}

std::string refusal(std::vector<std::string> words) {
  CommandModel model;
  try {
    parse(model, std::move(words));
  } catch (const CLI::Error& error) {
    return error.what();
  }
  return "";
}

void visit(const CommandEntry& entry, const std::function<void(const CommandEntry&)>& visitor) {
  visitor(entry);
  for (const CommandEntry& child : entry.children) visit(child, visitor);
}

CommandEntry whole_tree() {
  return command_tree(CommandModel().root);
}

TEST(CommandModel, GlobalOptionsStandBeforeOrBehindTheCommand) {
  const std::vector<std::vector<std::string>> lines = {{"-r", "/x", "--memory", "1G", "--json", "key", "list"},
                                                       {"key", "--repo", "/x", "list", "--memory=1G", "--json"},
                                                       {"key", "list", "--repository=/x", "--json", "--memory", "1G"}};
  for (const auto& line : lines) {
    CommandModel model;
    parse(model, line);
    EXPECT_EQ(model.options.repository, "/x");
    EXPECT_EQ(model.options.memory, kGiB);
    EXPECT_TRUE(model.options.json);
    ASSERT_NE(model.commands.parsed(), nullptr);
    EXPECT_EQ(model.commands.parsed()->app->get_name(), "list");
  }
}

TEST(CommandModel, AStreamMayBeNamedLikeACommand) {
  CommandModel model;
  parse(model, {"push", "list", "-q"});
  ASSERT_NE(model.commands.parsed(), nullptr);
  EXPECT_EQ(model.commands.parsed()->app->get_name(), "push");
}

TEST(CommandModel, OptionsReadTheirVariables) {
  ::setenv("DRSTREAM_REPOSITORY", "/from-variable", 1);
  ::setenv("DRSTREAM_MEMORY", "128MiB", 1);
  ::setenv("DRSTREAM_JSON", "1", 1);
  ::setenv("DRSTREAM_PROGRESS", "never", 1);
  CommandModel model;
  parse(model, {"list", "--memory", "512MiB"});
  EXPECT_EQ(model.options.repository, "/from-variable");
  EXPECT_EQ(model.options.memory, 512 * kMiB) << "the command line comes before the environment";
  EXPECT_TRUE(model.options.json);
  EXPECT_EQ(model.options.progress, ProgressMode::kNever);
  for (const char* name : {"DRSTREAM_REPOSITORY", "DRSTREAM_MEMORY", "DRSTREAM_JSON", "DRSTREAM_PROGRESS"})
    ::unsetenv(name);
}

// Repositories, keys, stores, resources and output. What changes the meaning of one call is never among them.
const std::set<std::string> kVariables = {"DRSTREAM_ADDRESS_STYLE",
                                          "DRSTREAM_ALSO",
                                          "DRSTREAM_ANSWER_TIMEOUT",
                                          "DRSTREAM_BOOTSTRAP",
                                          "DRSTREAM_CACHE_DIR",
                                          "DRSTREAM_CACHE_SIZE",
                                          "DRSTREAM_CA_FILE",
                                          "DRSTREAM_COMPRESSION",
                                          "DRSTREAM_CONFIG",
                                          "DRSTREAM_ENDPOINT_URL",
                                          "DRSTREAM_FROM_KEY_FILE",
                                          "DRSTREAM_FROM_PASSPHRASE_COMMAND",
                                          "DRSTREAM_FROM_PASSPHRASE_FILE",
                                          "DRSTREAM_FROM_REPOSITORY",
                                          "DRSTREAM_FROM_UNENCRYPTED",
                                          "DRSTREAM_IO",
                                          "DRSTREAM_JSON",
                                          "DRSTREAM_KAFKA_CONFIG_FILE",
                                          "DRSTREAM_KEY_FILE",
                                          "DRSTREAM_LIMIT_DOWNLOAD",
                                          "DRSTREAM_LIMIT_UPLOAD",
                                          "DRSTREAM_LOCK_DAYS",
                                          "DRSTREAM_LOCK_MODE",
                                          "DRSTREAM_LOG_FORMAT",
                                          "DRSTREAM_MEMORY",
                                          "DRSTREAM_METRICS_PUSH",
                                          "DRSTREAM_METRICS_PUSH_CREDENTIALS",
                                          "DRSTREAM_NEW_KEY_FILE",
                                          "DRSTREAM_NEW_PASSPHRASE_COMMAND",
                                          "DRSTREAM_NEW_PASSPHRASE_FILE",
                                          "DRSTREAM_NO_CACHE",
                                          "DRSTREAM_OBJECT_TAG",
                                          "DRSTREAM_PASSPHRASE_COMMAND",
                                          "DRSTREAM_PASSPHRASE_FILE",
                                          "DRSTREAM_PROGRESS",
                                          "DRSTREAM_PROGRESS_FD",
                                          "DRSTREAM_QUIET",
                                          "DRSTREAM_REGION",
                                          "DRSTREAM_REPOSITORY",
                                          "DRSTREAM_REQUIRE_PRODUCER",
                                          "DRSTREAM_SINGLE_WRITER",
                                          "DRSTREAM_SPOOL",
                                          "DRSTREAM_SPOOL_SIZE",
                                          "DRSTREAM_SSE",
                                          "DRSTREAM_SSE_KMS_KEY_ID",
                                          "DRSTREAM_STATE_DIR",
                                          "DRSTREAM_STATS",
                                          "DRSTREAM_STORAGE_CLASS",
                                          "DRSTREAM_STORE_TIMEOUT",
                                          "DRSTREAM_THREADS",
                                          "DRSTREAM_VERBOSE"};

TEST(CommandModel, ReadsTheseVariablesAndNoOthers) {
  std::set<std::string> read;
  visit(whole_tree(), [&](const CommandEntry& entry) {
    for (const OptionEntry& option : entry.options) {
      if (option.variable.empty()) continue;
      read.insert(option.variable);
      std::string variable = "DRSTREAM_";
      for (const char c : option.names.back().substr(2))
        variable += c == '-' ? '_' : static_cast<char>(std::toupper(c));
      EXPECT_EQ(option.variable, variable) << entry.name();
    }
  });
  EXPECT_EQ(read, kVariables);
}

TEST(CommandModel, WhatWritesMetricsSendsThemAndReports) {
  std::size_t commands = 0;
  visit(whole_tree(), [&](const CommandEntry& entry) {
    std::set<std::string> names;
    for (const OptionEntry& option : entry.options) names.insert(option.names.begin(), option.names.end());
    if (!names.contains("--metrics")) return;
    ++commands;
    EXPECT_TRUE(names.contains("--metrics-push")) << entry.name();
    EXPECT_TRUE(names.contains("--report")) << entry.name();
  });
  EXPECT_GE(commands, 8U);
}

TEST(CommandModel, NoCommandHidesAGlobalOption) {
  std::set<std::string> global;
  const CommandEntry tree = whole_tree();
  for (const OptionEntry& option : tree.options) global.insert(option.names.begin(), option.names.end());
  global.erase("-h");
  global.erase("--help");
  for (const CommandEntry& child : tree.children)
    visit(child, [&](const CommandEntry& entry) {
      for (const OptionEntry& option : entry.options)
        for (const std::string& name : option.names) EXPECT_FALSE(global.contains(name)) << entry.name() << " " << name;
    });
}

TEST(CommandModel, EachCommandThatRunsShowsExamples) {
  for (const CommandEntry& child : whole_tree().children)
    visit(child, [](const CommandEntry& entry) {
      const bool is_shell = entry.path.front() == "completion" && entry.path.size() == 2;
      if (entry.children.empty() && !is_shell) {
        EXPECT_NE(entry.examples, "") << entry.name();
      }
    });
}

TEST(CommandModel, HasTheCommandsThatAreDocumented) {
  std::set<std::string> names;
  for (const CommandEntry& child : whole_tree().children) names.insert(child.name());
  EXPECT_EQ(names, (std::set<std::string>{"completion", "config",   "copy",   "doctor", "forget", "help",  "hold",
                                          "init",       "kafka",    "key",    "list",   "policy", "prune", "pull",
                                          "push",       "repair",   "resume", "scrub",  "show",   "stats", "status",
                                          "sweep",      "unforget", "verify", "version"}));
}

TEST(CommandModel, ErrorsSayWhatIsAccepted) {
  EXPECT_NE(refusal({"list", "--memory", "lots"}).find("64MiB"), std::string::npos);
  EXPECT_NE(refusal({"list", "--io", "magic"}).find("auto|uring|posix"), std::string::npos);
  EXPECT_NE(refusal({"list", "--threads", "0"}).find("from 1 to"), std::string::npos);
  EXPECT_NE(refusal({"push", "a", "--max-shrink", "10"}).find("10%"), std::string::npos);
  EXPECT_NE(refusal({"push", "a", "--require-trailer", "("}).find("regular expression"), std::string::npos);
  EXPECT_NE(refusal({"push", "a", "--compression", "gzip"}), "");
  EXPECT_NE(refusal({"push"}).find("STREAM"), std::string::npos);
  EXPECT_NE(refusal({"frobnicate"}).find("frobnicate"), std::string::npos);
  EXPECT_NE(refusal({"list", "--no-such-option"}).find("--no-such-option"), std::string::npos);
}

TEST(CommandModel, AnOptionThatMayBeRepeatedDoesNotSwallowWhatFollows) {
  EXPECT_EQ(refusal({"push", "--tag", "a=1", "--tag", "b=2", "pg/app"}), "");
  EXPECT_EQ(refusal({"verify", "pg/app", "--expect-head"}), "");
  EXPECT_EQ(refusal({"verify", "--expect-head", "--read-data"}), "");
  EXPECT_EQ(refusal({"verify", "--expect-head", "pg/app", "pg/db"}), "");
}

TEST(CommandModel, VerboseCounts) {
  CommandModel model;
  parse(model, {"list", "-v", "-v"});
  EXPECT_EQ(model.options.log.verbosity, 2);
}

}  // namespace
}  // namespace drs
