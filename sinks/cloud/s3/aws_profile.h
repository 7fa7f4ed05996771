// AwsProfile: the settings of one profile in the files that AWS tools share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/cloud/s3/aws_ini.h"
#include "sinks/transport/environment.h"

namespace drs {

class AwsProfile {
 public:
  // Loads the profile of AWS_PROFILE, else of AWS_DEFAULT_PROFILE, else "default", from the files of AWS_CONFIG_FILE
  // and AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/config and ~/.aws/credentials. A missing file counts as empty, and so
  // does an unreadable file that no variable names. Errors: kUsage for a file that cannot be parsed; those of
  // Environment::read_file for a file that a variable names.
  static Result<AwsProfile> load(const Environment& environment);
  // Loads the profile of this name from the same files. Errors: the same.
  static Result<AwsProfile> load_named(const Environment& environment, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // Whether a variable or a source_profile names it, so that its absence is a mistake.
  [[nodiscard]] bool named() const { return named_; }
  [[nodiscard]] bool exists() const { return config_.exists || credentials_.exists; }
  // The value of a setting such as "region". The credentials file takes precedence; an empty value counts as not set.
  // The view is valid as long as the profile, and may be of a secret.
  [[nodiscard]] std::optional<std::string_view> setting(std::string_view name) const;
  // A setting for one service, from the section [services x] that the profile's `services = x` names.
  [[nodiscard]] std::optional<std::string_view> service_setting(std::string_view service, std::string_view name) const;
  // "profile 'default' (/home/a/.aws/config: not there; /home/a/.aws/credentials)"
  [[nodiscard]] std::string description() const;

 private:
  struct File {
    std::string path;
    std::string problem;  // why the file counts as empty
    SecretBytes text;     // the views below point into it
    std::vector<AwsIniSection> sections;
    bool exists = false;  // whether the file has the profile
  };
  enum class Kind : std::uint8_t { kConfig, kCredentials };

  static Result<AwsProfile> read_files(const Environment& environment, std::string_view name);
  static Result<File> read(const Environment& environment, Kind kind);
  [[nodiscard]] std::string_view section_of_profile(const File& file, Kind kind) const;
  [[nodiscard]] static std::optional<std::string_view> find(const File& file, std::string_view section,
                                                            std::string_view group, std::string_view name);

  std::string name_;
  bool named_ = false;
  File config_;
  File credentials_;
  std::string_view config_section_;  // the section of the profile, as the file spells it
  std::string_view credentials_section_;
};

}  // namespace drs
