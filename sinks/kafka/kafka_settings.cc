#include "sinks/kafka/kafka_settings.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "io/base/ascii.h"
#include "sinks/kafka/kafka_setting_rules.h"
#include "sinks/transport/foreign_text.h"

namespace drs {
namespace {

constexpr std::size_t kErrorTextBytes = 512;
constexpr std::string_view kTokenCommand = "token_command";

Error usage(std::string text) {
  return Error(ErrorCode::kUsage, std::move(text));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

struct NamedValue {
  std::string_view name;
  std::string_view value;
};

// Splits "name = value"; no name if there is none.
NamedValue named_value(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {};
  return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

// The names that contain an underscore themselves cannot be found by replacing them all.
std::string name_of_variable(std::string_view variable) {
  std::string name = ascii_lower(variable.substr(kKafkaVariablePrefix.size()));
  std::replace(name.begin(), name.end(), '_', '.');
  if (name == "token.command") return std::string(kTokenCommand);
  if (name == "log.level") return "log_level";
  return name;
}

using Values = std::map<std::string, SecretBytes, std::less<>>;

class SettingsReader {
 public:
  SettingsReader() : scratch_(rd_kafka_conf_new()) {}
  ~SettingsReader() { rd_kafka_conf_destroy(scratch_); }
  SettingsReader(const SettingsReader&) = delete;
  SettingsReader& operator=(const SettingsReader&) = delete;

  Result<void> read_file(const std::string& file_name, std::string_view text) {
    std::map<std::string, std::size_t, std::less<>> lines;
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::string_view whole = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), whole.size() + 1));
      const std::string_view line = trimmed(whole);
      if (line.empty() || line.front() == '#') continue;
      const std::string place = file_name + ":" + std::to_string(number);
      const NamedValue setting = named_value(line);
      // The line is not quoted: it may be half of a secret.
      if (setting.name.empty()) return usage(place + ": expected NAME=VALUE");
      if (Result<void> added = add(setting.name, setting.value); !added.ok())
        return std::move(added).error().with_context(place);
      const auto [before, first] = lines.emplace(kafka_setting_name(setting.name), number);
      if (!first)
        return usage(place + ": " + before->first + " is already set in line " + std::to_string(before->second));
    }
    return {};
  }

  Result<void> read_environment(const std::map<std::string_view, std::string_view>& environment) {
    for (const auto& [variable, value] : environment) {
      if (!variable.starts_with(kKafkaVariablePrefix) || variable.size() == kKafkaVariablePrefix.size()) continue;
      if (Result<void> added = add(name_of_variable(variable), trimmed(value)); !added.ok())
        return std::move(added).error().with_context(std::string(variable));
    }
    return {};
  }

  Result<void> read_options(const std::vector<std::string>& options) {
    for (const std::string& option : options) {
      const NamedValue setting = named_value(option);
      if (setting.name.empty()) return usage("a Kafka option is not of the form NAME=VALUE");
      if (is_kafka_secret(setting.name))
        return usage("Kafka option " + foreign_text(setting.name, kErrorTextBytes) +
                     ": on the command line everyone can read it: put it into a file");
      if (Result<void> added = add(setting.name, setting.value); !added.ok())
        return std::move(added).error().with_context("Kafka option");
    }
    return {};
  }

  Values take() { return std::move(values_); }

 private:
  Result<void> add(std::string_view given_name, std::string_view value) {
    const std::string name(kafka_setting_name(given_name));
    const std::string shown = foreign_text(name, kErrorTextBytes);
    if (name.find('\0') != std::string::npos || value.find('\0') != std::string_view::npos)
      return usage(shown + " contains a NUL byte");
    if (const auto why = refused_kafka_setting(name, value)) return usage(shown + " " + *why);
    if (name != kTokenCommand) DRS_RETURN_IF_ERROR(check(name, value));
    values_.insert_or_assign(name, SecretBytes::copy_of(as_bytes(value)));
    return {};
  }

  // Asks librdkafka, whose text may quote the value.
  Result<void> check(const std::string& name, std::string_view value) {
    std::array<char, kErrorTextBytes> text{};
    SecretBytes terminated(value.size() + 1);
    std::copy(value.begin(), value.end(), terminated.mutable_view().begin());
    const rd_kafka_conf_res_t result = rd_kafka_conf_set(
        scratch_, name.c_str(), reinterpret_cast<const char*>(terminated.view().data()), text.data(), text.size());
    if (result == RD_KAFKA_CONF_OK) return {};
    if (result == RD_KAFKA_CONF_INVALID && is_kafka_secret(name))
      return usage("librdkafka refuses the value of " + name);
    return usage(foreign_text(text.data(), kErrorTextBytes));
  }

  rd_kafka_conf_t* scratch_;
  Values values_;
};

std::string_view text_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string_view() : as_text(found->second.view());
}

Result<void> check_together(const Values& values) {
  if (text_of(values, "bootstrap.servers").empty())
    return usage("bootstrap.servers is not set: HOST:PORT of one or more brokers, separated by commas");
  const bool by_token = equal_ignoring_case(text_of(values, "sasl.mechanisms"), "OAUTHBEARER");
  const bool by_command = !text_of(values, kTokenCommand).empty();
  const bool by_library = equal_ignoring_case(text_of(values, "sasl.oauthbearer.method"), "oidc") ||
                          equal_ignoring_case(text_of(values, "enable.sasl.oauthbearer.unsecure.jwt"), "true");
  if (by_token && !by_command && !by_library)
    return usage("sasl.mechanisms=OAUTHBEARER: set token_command, a command that prints a token");
  if (by_command && !by_token) return usage("token_command is set, but sasl.mechanisms is not OAUTHBEARER");
  if (by_command && by_library)
    return usage("token_command is set, and librdkafka is told to get tokens itself: leave one of them out");
  return {};
}

}  // namespace

bool is_kafka_secret(std::string_view name) {
  if (name == "ssl.key.pem" || name == "ssl_key" || name == "sasl.oauthbearer.config" || name == "sasl.jaas.config" ||
      name == "ssl.keystore.key" || name == "sasl.oauthbearer.assertion.private.key.pem")
    return true;
  return name.find("password") != std::string_view::npos || name.find("secret") != std::string_view::npos ||
         name.find("passphrase") != std::string_view::npos;
}

Result<KafkaSettings> KafkaSettings::read(const KafkaSettingsSources& sources) {
  SettingsReader reader;
  DRS_RETURN_IF_ERROR(reader.read_file(sources.file_name, sources.file));
  DRS_RETURN_IF_ERROR(reader.read_environment(sources.environment));
  DRS_RETURN_IF_ERROR(reader.read_options(sources.options));
  Values values = reader.take();
  DRS_RETURN_IF_ERROR(check_together(values));
  KafkaSettings settings;
  for (auto& [name, value] : values) {
    if (name == kTokenCommand)
      settings.token_command_ = as_text(value.view());
    else
      settings.values_.push_back({name, std::move(value)});
  }
  if (settings.token_command_ && settings.token_command_->empty()) settings.token_command_.reset();
  return settings;
}

std::optional<std::string_view> KafkaSettings::value(std::string_view name) const {
  DRS_ASSERT(!is_kafka_secret(name), "a secret asked for as text");
  for (const Setting& setting : values_)
    if (setting.name == name) return as_text(setting.value.view());
  return std::nullopt;
}

std::vector<std::string_view> KafkaSettings::secrets() const {
  std::vector<std::string_view> out;
  for (const Setting& setting : values_)
    if (is_kafka_secret(setting.name)) out.push_back(as_text(setting.value.view()));
  return out;
}

}  // namespace drs
