#include "tools/repository/repository_location.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "sinks/transport/uri_encoding.h"
#include "tools/output/printable.h"
#include "tools/repository/cloud_options.h"

namespace drs {
namespace {

// "s3" of "s3://bucket" and the like; empty for a path, which "./odd://name" is too.
std::string_view scheme_of(std::string_view text) {
  const std::size_t mark = text.find("://");
  const bool is_url =
      mark != std::string_view::npos && mark > 0 &&
      text.substr(0, mark).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") == std::string_view::npos;
  return is_url ? text.substr(0, mark) : std::string_view();
}

// Whether it begins with NAME=VALUE. A path may hold a '?' of its own.
bool is_setting(std::string_view text) {
  const std::size_t equals = text.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         text.substr(0, equals).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

// "sftp:" of "sftp:user@host:dir": what other programs take for a place elsewhere. Empty for a path, which "./odd:name"
// is too.
std::string_view foreign_prefix(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool is_prefix = colon != std::string_view::npos && colon > 0 && text.substr(0, colon).find('/') == text.npos;
  return is_prefix ? text.substr(0, colon + 1) : std::string_view();
}

bool is_there(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::symlink_status(path, unknown).type() != std::filesystem::file_type::not_found;
}

// The settings of each kind, besides the keys.
std::string_view cloud_settings(RepositoryLocation::Kind kind) {
  switch (kind) {
    case RepositoryLocation::Kind::kLocal: return "";
    case RepositoryLocation::Kind::kS3: return ", and endpoint-url, region, profile, address-style and ca-file";
    case RepositoryLocation::Kind::kGcs: return ", and endpoint-url, credentials-file and ca-file";
  }
  return "";
}

Result<void> take_settings(RepositoryLocation& place, std::string_view settings) {
  while (!settings.empty()) {
    const std::string_view setting = settings.substr(0, settings.find('&'));
    settings.remove_prefix(std::min(setting.size() + 1, settings.size()));
    const std::size_t equals = setting.find('=');
    const std::string_view name = setting.substr(0, equals);
    std::string* const target = setting_of(place, name);
    if (target == nullptr || equals == std::string_view::npos)
      return Error(ErrorCode::kUsage,
                   fmt::format("'{}' is not a setting of the repository '{}'; accepted are key-file, passphrase-file "
                               "and passphrase-command{}, each as name=value, joined by '&'{}",
                               setting, place.name, cloud_settings(place.kind),
                               place.kind == RepositoryLocation::Kind::kLocal
                                   ? "; a directory whose name has a '?' is taken as it is once it is there (mkdir)"
                                   : ""));
    const auto value = uri_decode(setting.substr(equals + 1));
    if (!value || value->empty())
      return Error(ErrorCode::kUsage, fmt::format("the setting '{}' of the repository '{}' has no value, or a '%' "
                                                  "without two hex digits behind it",
                                                  name, place.name));
    *target = *value;
  }
  return {};
}

// "@offsite": the place of that name in the configuration.
Result<RepositoryLocation> named_place(std::string_view text, const GlobalOptions& options) {
  const std::string_view name = text.substr(1);
  const auto found = options.repositories.find(name);
  if (found == options.repositories.end()) {
    std::string known;
    for (const auto& [other, repository] : options.repositories) known += (known.empty() ? "@" : ", @") + other;
    return Error(ErrorCode::kUsage,
                 fmt::format("the configuration has no [repository.{}]{}; `drstream config check` names the files that "
                             "were read (a directory of this name is ./{})",
                             name, known.empty() ? ", and no other" : "; it has " + known, text));
  }
  GlobalOptions own;
  own.cloud = found->second.cloud;
  own.cache = found->second.cache;
  DRS_ASSIGN_OR_RETURN(RepositoryLocation place, parse_repository_location(found->second.place, own));
  if (!place.key.any()) place.key = found->second.key;
  place.given = text;
  return place;
}

}  // namespace

std::string* setting_of(RepositoryLocation& place, std::string_view name) {
  if (name == "key-file") return &place.key.key_file;
  if (name == "passphrase-file") return &place.key.passphrase_file;
  if (name == "passphrase-command") return &place.key.passphrase_command;
  if (place.kind == RepositoryLocation::Kind::kLocal) return nullptr;
  if (name == "endpoint-url") return &place.cloud.endpoint_url;
  if (name == "ca-file") return &place.cloud.ca_file;
  if (place.kind == RepositoryLocation::Kind::kGcs)
    return name == "credentials-file" ? &place.cloud.credentials_file : nullptr;
  if (name == "region") return &place.cloud.region;
  if (name == "profile") return &place.cloud.profile;
  if (name == "address-style") return &place.cloud.address_style;
  return nullptr;
}

Result<RepositoryLocation> parse_repository_location(std::string_view text, const GlobalOptions& options) {
  if (text.empty())
    return Error(
        ErrorCode::kUsage,
        "no repository was named; give --repository DIR, s3://bucket/prefix, gs://bucket/prefix or @NAME of the "
        "configuration, or set DRSTREAM_REPOSITORY");
  if (text.front() == '@') return named_place(text, options);
  RepositoryLocation place;
  place.given = text;
  place.cloud = options.cloud;
  place.cache = options.cache;
  const std::string_view scheme = scheme_of(text);
  const std::size_t mark = text.find('?');
  if (scheme.empty()) {
    std::error_code unknown;
    const bool has_settings = mark != std::string_view::npos && mark > 0 && is_setting(text.substr(mark + 1)) &&
                              !std::filesystem::is_directory(text, unknown);
    place.name = text.substr(0, has_settings ? mark : text.size());
    if (has_settings) DRS_RETURN_IF_ERROR(take_settings(place, text.substr(mark + 1)));
    if (const auto prefix = foreign_prefix(place.name); !prefix.empty() && !is_there(place.name))
      return Error(
          ErrorCode::kUsage,
          fmt::format("places of the form '{}' are not supported: accepted are directories, s3://bucket/prefix, "
                      "gs://bucket/prefix and @NAME; a directory of this name is ./{}",
                      prefix, place.name));
    return place;
  }
  const std::string_view url = text.substr(0, mark);
  if (const std::string shown = hide_url_credentials(url); shown != url)
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' has credentials in it, which a URL of a repository must not: give them as "
                             "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as a profile, or as --credentials-file, "
                             "and replace them, since other users may have seen the command line",
                             shown));
  place.name = url;
  if (scheme == "file") {
    place.name = url.substr(std::string_view("file://").size());
  } else if (scheme == "s3") {
    place.kind = RepositoryLocation::Kind::kS3;
  } else if (scheme == "gs") {
    place.kind = RepositoryLocation::Kind::kGcs;
  } else {
    return Error(ErrorCode::kUsage,
                 fmt::format("the repository '{}' is not supported; accepted are directories, s3:// and gs://", url));
  }
  if (place.name.empty()) return Error(ErrorCode::kUsage, fmt::format("'{}' names no directory", url));
  if (place.kind != RepositoryLocation::Kind::kLocal && !is_utf8(url))
    return Error(ErrorCode::kUsage, fmt::format("the URL '{}' is not UTF-8, which names in a bucket must be", url));
  if (mark != std::string_view::npos) DRS_RETURN_IF_ERROR(take_settings(place, text.substr(mark + 1)));
  return place;
}

Result<RepositoryLocation> repository_location(const GlobalOptions& options, std::span<const std::string> others) {
  DRS_ASSIGN_OR_RETURN(RepositoryLocation place, parse_repository_location(options.repository, options));
  if (place.kind != RepositoryLocation::Kind::kLocal) return place;
  DRS_RETURN_IF_ERROR(refuse_object_options(place.cloud, place.name));
  const bool has_bucket = std::ranges::any_of(others, [&](const std::string& other) {
    const auto further = parse_repository_location(other, options);
    return further.ok() && further->kind != RepositoryLocation::Kind::kLocal;
  });
  for (const std::string_view limit : {"limit-upload", "limit-download"})
    if (!has_bucket && options.typed.contains(limit))
      return Error(ErrorCode::kUsage, fmt::format("--{} needs a repository in a bucket; {} is a directory, which no "
                                                  "limit slows down",
                                                  limit, place.name));
  return place;
}

}  // namespace drs
