#include "sinks/cloud/s3/aws_profile.h"

#include <algorithm>
#include <utility>

#include "io/base/ascii.h"

namespace drs {
namespace {

// The `name` in a section's "kind name" or "kind "name""; empty for another kind.
std::string_view name_in(std::string_view section, std::string_view kind) {
  if (!section.starts_with(kind)) return {};
  std::string_view rest = section.substr(kind.size());
  const std::size_t first = rest.find_first_not_of(" \t");
  if (first == 0 || first == std::string_view::npos) return {};
  rest.remove_prefix(first);
  for (const char quote : {'"', '\''})
    if (rest.size() >= 2 && rest.front() == quote && rest.back() == quote) return rest.substr(1, rest.size() - 2);
  return rest;
}

}  // namespace

Result<AwsProfile> AwsProfile::load(const Environment& environment) {
  for (const char* variable : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
    if (const auto name = environment.variable(variable)) return load_named(environment, *name);
  return read_files(environment, "default");
}

Result<AwsProfile> AwsProfile::load_named(const Environment& environment, std::string_view name) {
  DRS_ASSIGN_OR_RETURN(AwsProfile profile, read_files(environment, name));
  profile.named_ = true;
  return profile;
}

Result<AwsProfile> AwsProfile::read_files(const Environment& environment, std::string_view name) {
  AwsProfile out;
  out.name_ = name;
  DRS_ASSIGN_OR_RETURN(out.config_, read(environment, Kind::kConfig));
  DRS_ASSIGN_OR_RETURN(out.credentials_, read(environment, Kind::kCredentials));
  out.config_section_ = out.section_of_profile(out.config_, Kind::kConfig);
  out.credentials_section_ = out.section_of_profile(out.credentials_, Kind::kCredentials);
  out.config_.exists = !out.config_section_.empty();
  out.credentials_.exists = !out.credentials_section_.empty();
  return out;
}

Result<AwsProfile::File> AwsProfile::read(const Environment& environment, Kind kind) {
  const bool config = kind == Kind::kConfig;
  const auto named = environment.variable(config ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE");
  const auto home = environment.variable("HOME");
  File out;
  out.path = named.value_or(config ? "~/.aws/config" : "~/.aws/credentials");
  if (out.path.starts_with("~/")) {
    if (!home) {
      out.problem = "HOME is not set";
      return out;
    }
    out.path.replace(0, 1, *home);
  }

  Result<SecretBytes> text = environment.read_file(out.path);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) {
      out.problem = "not there";
    } else if (named || text.error().code == ErrorCode::kCancelled) {
      return std::move(text).error();
    } else {
      out.problem = "cannot be read";
    }
    return out;
  }
  out.text = *std::move(text);
  Result<std::vector<AwsIniSection>> sections = parse_aws_ini(as_text(out.text.view()));
  if (!sections.ok()) return std::move(sections).error().with_context("'" + out.path + "'");
  out.sections = *std::move(sections);
  return out;
}

std::string_view AwsProfile::section_of_profile(const File& file, Kind kind) const {
  std::string_view found;
  for (const AwsIniSection& section : file.sections) {
    if (kind == Kind::kCredentials) {
      if (section.name == name_) return section.name;
    } else {
      // "[profile default]" takes precedence over "[default]".
      if (name_in(section.name, "profile") == name_) return section.name;
      if (name_ == "default" && section.name == name_) found = section.name;
    }
  }
  return found;
}

std::optional<std::string_view> AwsProfile::find(const File& file, std::string_view section, std::string_view group,
                                                 std::string_view name) {
  std::optional<std::string_view> found;  // the last one counts
  for (const AwsIniSection& candidate : file.sections) {
    if (candidate.name != section) continue;
    for (const AwsIniSetting& setting : candidate.settings)
      if (equal_ignoring_case(setting.group, group) && equal_ignoring_case(setting.name, name) &&
          !setting.value.empty())
        found = setting.value;
  }
  return found;
}

std::optional<std::string_view> AwsProfile::setting(std::string_view name) const {
  if (const auto value = find(credentials_, credentials_section_, {}, name)) return value;
  return find(config_, config_section_, {}, name);
}

std::optional<std::string_view> AwsProfile::service_setting(std::string_view service, std::string_view name) const {
  const std::optional<std::string_view> services = setting("services");
  if (!services) return std::nullopt;
  for (const AwsIniSection& section : config_.sections)
    if (name_in(section.name, "services") == *services) return find(config_, section.name, service, name);
  return std::nullopt;
}

std::string AwsProfile::description() const {
  const auto text = [](const File& file) {
    if (!file.problem.empty()) return file.path + ": " + file.problem;
    return file.path + (file.exists ? "" : ": it is not in there");
  };
  return "profile '" + name_ + "' (" + text(config_) + "; " + text(credentials_) + ")";
}

}  // namespace drs
