#include "tools/cli/help_topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "tools/output/exit_code.h"

namespace drs {
namespace {

HelpTopic exit_codes() {
  HelpTopic topic{std::string(kExitCodesTopic), "Exit status", {}};
  for (const ExitCodeMeaning& row : exit_code_meanings())
    topic.items.push_back({std::to_string(static_cast<int>(row.exit)), std::string(row.meaning)});
  topic.items.push_back({"128+N", "Stopped by signal N."});
  return topic;
}

struct VariableUse {
  std::string option;              // "--key-file FILE"
  std::set<std::string> commands;  // empty: all
};

void collect_variables(const CommandEntry& entry, std::map<std::string, VariableUse>& uses) {
  for (const OptionEntry& option : entry.options) {
    if (option.variable.empty()) continue;
    VariableUse& use = uses[option.variable];
    use.option = option.names.back() + (option.value_name.empty() ? "" : " " + option.value_name);
    if (!entry.path.empty()) use.commands.insert(entry.invocation().substr(std::string_view("drstream ").size()));
  }
  for (const CommandEntry& child : entry.children) collect_variables(child, uses);
}

HelpTopic environment(const CommandEntry& root) {
  HelpTopic topic{"environment", "Environment", {}};
  topic.items = {
      {"",
       "An option takes precedence over its variable, and a variable over the configuration files. Only settings have "
       "variables; options that change the meaning of one call have none."},
      {"BACKUP_ENCRYPTION_KEY_FILE", "The file of the key, 64 hex digits."},
      {"BACKUP_ENCRYPTION_KEY", "The key itself."},
      {"DRSTREAM_PASSPHRASE", "The passphrase itself; other processes of the same user may see it."},
      {"BACKUP_FROM_ENCRYPTION_KEY_FILE, BACKUP_FROM_ENCRYPTION_KEY", "The same for the repository that `copy` reads."},
      {"XDG_STATE_HOME, XDG_CACHE_HOME, HOME",
       "Where the heads of streams and the cache of buckets are kept, without "
       "--state-dir and --cache-dir."},
      {"AWS_*, GOOGLE_APPLICATION_CREDENTIALS",
       "Credentials and servers of buckets, as the tools of AWS and Google "
       "read them: `drstream help stores`."},
  };
  std::map<std::string, VariableUse> uses;
  collect_variables(root, uses);
  for (const auto& [variable, use] : uses) {
    std::string commands;
    for (const std::string& command : use.commands) commands += (commands.empty() ? " of " : ", ") + command;
    topic.items.push_back({variable, use.option + commands});
  }
  return topic;
}

HelpTopic keys() {
  return {
      "keys",
      "Keys",
      {{"",
        "A key is 64 hex digits, or a passphrase; without one the repository cannot be read at all. It is "
        "looked for in this order:"},
       {"--key-file FILE",
        "A file of 64 hex digits; or --passphrase-file FILE, or --passphrase-command CMD. Only one of the three may be "
        "given; an option takes precedence over the variables of all three."},
       {"BACKUP_ENCRYPTION_KEY_FILE", "A variable: the name of such a file."},
       {"BACKUP_ENCRYPTION_KEY", "A variable: the key itself."},
       {"DRSTREAM_PASSPHRASE", "A variable: the passphrase itself; with a warning, since other processes can see it."},
       {"a prompt", "If stderr is a terminal."},
       {"",
        "A key is never on the command line, and the variables are removed before another command is started. "
        "The repository that `drstream copy` reads has options and variables of its own: --from-key-file and "
        "so on, BACKUP_FROM_ENCRYPTION_KEY_FILE, BACKUP_FROM_ENCRYPTION_KEY; without them the same key is "
        "tried."},
       {"openssl rand -hex 32", "Makes a key. Keep a copy away from the backups."},
       {"drstream key add", "Adds one more way to open the repository, such as a passphrase in a safe."},
       {"drstream key test", "Proves that the key given opens it."}}};
}

HelpTopic stores() {
  return {"stores",
          "Stores",
          {{"", "A PLACE, given by -r or DRSTREAM_REPOSITORY, is where a repository is:"},
           {"/var/backups/drs", "A local directory."},
           {"s3://bucket/prefix",
            "A bucket of S3 or of a compatible server, which --endpoint-url names. Credentials: environment, web "
            "identity, AWS_PROFILE of the shared files, "
            "container, instance metadata."},
           {"gs://bucket/prefix",
            "A bucket of Google Cloud Storage. Credentials: GOOGLE_APPLICATION_CREDENTIALS, those "
            "of gcloud, the metadata server."},
           {"PLACE?NAME=VALUE&...",
            "Settings for one place, which take precedence over options and environment: key-file, "
            "passphrase-file, passphrase-command; of buckets endpoint-url and ca-file; of s3:// "
            "region, profile, address-style; of gs:// credentials-file."},
           {"drstream doctor", "Tries a place: permissions, conditional writes, clock, rates."},
           {"drstream policy s3", "Prints a policy for the credentials of a bucket."},
           {"", "Options of buckets, such as locks, limits and time-outs: `drstream help global`."}}};
}

HelpTopic values() {
  return {"values",
          "Values",
          {{"SIZE",
            "Bytes, or a number with a unit: 4096, 64MiB, 1.5G. K, M, G, T and P count in 1024; KB, MB, GB, TB "
            "and PB in 1000."},
           {"DURATION", "30s, 5m, 2h, 1d, 1h30m, 500ms; without a unit, seconds."},
           {"SPAN", "30d, 1y6m, 2y5m7d3h: years (y), months (m), weeks (w), days and hours of the calendar."},
           {"TIME",
            "2026-11-20, 2026-11-20T02:00, \"2026-11-20 02:00:05\", in local time, or with Z or +01:00 after "
            "the time of day; and now."},
           {"PERCENT", "A number with its sign: 10%, 12.5%."},
           {"SNAPSHOT",
            "A stream (its latest snapshot), stream@latest, stream@TIME (the newest at or before it), an id, "
            "or the first 8 or more digits of one."},
           {"STREAM",
            "1 to 200 of the characters A-Z a-z 0-9 . _ + = : , - in parts joined by /, such as pg/app. "
            "`drstream list` also takes pg/ and patterns: '*/app'."}}};
}

}  // namespace

std::vector<HelpTopic> help_topics(const CommandEntry& root) {
  return {environment(root), exit_codes(), keys(), stores(), values()};
}

std::vector<std::string> help_topic_names(const CommandEntry& root) {
  std::vector<std::string> names = {std::string(kGlobalTopic)};
  for (const HelpTopic& topic : help_topics(root)) names.push_back(topic.name);
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> command_words_of_help(const CommandEntry& root) {
  std::vector<std::string> words = help_topic_names(root);
  for (const CommandEntry& child : root.children) words.push_back(child.name());
  std::ranges::sort(words);
  return words;
}

}  // namespace drs
