// KafkaSettings: what librdkafka is told about a cluster: addresses, TLS, SASL. Settings come from a properties file,
// from variables of the environment and from options of the command line; the later of these wins.
//
// Refused, with a text that says what to do: secrets on the command line, keys of Java's client, keys that drstream
// sets itself, and what librdkafka does not know. No message shows the value of a secret.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct KafkaSettingsSources {
  std::string file_name;  // for messages
  std::string_view file;  // its text: lines `name=value`; lines that begin with '#' are comments
  // Names and values; what does not begin with kKafkaVariablePrefix is ignored. Views, so that no secret is copied.
  std::map<std::string_view, std::string_view> environment;
  std::vector<std::string> options;  // "name=value"
};

// DRSTREAM_KAFKA_SASL_PASSWORD sets sasl.password.
inline constexpr std::string_view kKafkaVariablePrefix = "DRSTREAM_KAFKA_";

class KafkaSettings {
 public:
  // Errors: kUsage.
  static Result<KafkaSettings> read(const KafkaSettingsSources& sources);

  struct Setting {
    std::string name;
    SecretBytes value;  // no NUL byte in it
  };
  // Sorted by name; each name once. Without `token_command`.
  [[nodiscard]] std::span<const Setting> values() const { return values_; }
  // The value of a setting that is no secret; none if it is not set.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;
  // A command line for /bin/sh that prints a token for SASL OAUTHBEARER: `token_command`, a setting of ours.
  [[nodiscard]] const std::optional<std::string>& token_command() const { return token_command_; }
  // The values of secrets, to keep them out of texts. Views into this object.
  [[nodiscard]] std::vector<std::string_view> secrets() const;

 private:
  std::vector<Setting> values_;
  std::optional<std::string> token_command_;
};

// Whether messages and command lines must not show the value of this setting.
bool is_kafka_secret(std::string_view name);

}  // namespace drs
