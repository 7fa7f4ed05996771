// AwsProfile: the settings of the one profile in use, from AWS's shared files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/s3/aws_ini.h"
#include "sinks/surroundings.h"

namespace drs {

class AwsProfile {
 public:
  // The profile of AWS_PROFILE, else of AWS_DEFAULT_PROFILE, else "default"; from the files of AWS_CONFIG_FILE and
  // AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/config and ~/.aws/credentials. A file that is absent is an empty one, and
  // so is one of the latter two that cannot be read. Errors: kUsage for a file that cannot be understood; what reading
  // gives for a file that a variable names.
  static Result<AwsProfile> load(const Surroundings& surroundings);
  // Another one, from the same files. Errors: the same.
  static Result<AwsProfile> load_named(const Surroundings& surroundings, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // Whether a variable names it, so that its absence is a mistake.
  [[nodiscard]] bool named() const { return named_; }
  [[nodiscard]] bool exists() const { return config_.exists || credentials_.exists; }
  // The value of a setting such as "region"; that of the credentials file wins. What is empty counts as not set. A view
  // that lives as long as the profile, and may be of a secret.
  [[nodiscard]] std::optional<std::string_view> setting(std::string_view name) const;
  // A setting for one service, from the section [services x] that the profile's `services = x` names.
  [[nodiscard]] std::optional<std::string_view> service_setting(std::string_view service, std::string_view name) const;
  // "profile 'default' (/home/a/.aws/config: not there; /home/a/.aws/credentials)"
  [[nodiscard]] std::string description() const;

 private:
  struct File {
    std::string path;
    std::string problem;  // why it counts as empty
    SecretBytes text;     // what the views below look into
    std::vector<AwsIniSection> sections;
    bool exists = false;  // the profile, in this file
  };
  enum class Kind : std::uint8_t { kConfig, kCredentials };

  static Result<AwsProfile> load(const Surroundings& surroundings, std::string_view name, bool named);
  static Result<File> read(const Surroundings& surroundings, Kind kind);
  [[nodiscard]] std::string_view section_of_profile(const File& file, Kind kind) const;
  [[nodiscard]] static std::optional<std::string_view> find(const File& file, std::string_view section,
                                                            std::string_view group, std::string_view name);

  std::string name_;
  bool named_ = false;
  File config_;
  File credentials_;
  std::string_view config_section_;  // the profile's, as the file writes it
  std::string_view credentials_section_;
};

}  // namespace drs
