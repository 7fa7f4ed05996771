#include "tools/repository_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "sinks/uri_encoding.h"
#include "tools/object_options.h"
#include "tools/printable.h"

namespace drs {
namespace {

constexpr std::array<std::string_view, 3> kKeySettings = {"key-file=", "passphrase-file=", "passphrase-command="};

// "s3" of "s3://bucket" and the like; empty for a path, which "./odd://name" is too.
std::string_view scheme_of(std::string_view text) {
  const std::size_t mark = text.find("://");
  const bool is_url =
      mark != std::string_view::npos && mark > 0 &&
      text.substr(0, mark).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") == std::string_view::npos;
  return is_url ? text.substr(0, mark) : std::string_view();
}

// A path may hold a '?' of its own.
bool is_key_setting(std::string_view settings) {
  return std::ranges::any_of(kKeySettings, [&](std::string_view name) { return settings.starts_with(name); });
}

// What of those are settings of a kind, beside the keys.
std::string_view cloud_settings(RepositoryPlace::Kind kind) {
  switch (kind) {
    case RepositoryPlace::Kind::kLocal: return "";
    case RepositoryPlace::Kind::kS3: return ", and endpoint-url, region, profile, address-style and ca-file";
    case RepositoryPlace::Kind::kGcs: return ", and endpoint-url, credentials-file and ca-file";
  }
  return "";
}

Result<void> take_settings(RepositoryPlace& place, std::string_view settings) {
  while (!settings.empty()) {
    const std::string_view setting = settings.substr(0, settings.find('&'));
    settings.remove_prefix(std::min(setting.size() + 1, settings.size()));
    const std::size_t equals = setting.find('=');
    const std::string_view name = setting.substr(0, equals);
    std::string* const target = setting_of(place, name);
    if (target == nullptr || equals == std::string_view::npos)
      return Error{ErrorCode::kUsage,
                   fmt::format("'{}' is no setting of the repository '{}': key-file, passphrase-file and "
                               "passphrase-command are{}, each as name=value, joined by '&'",
                               setting, place.name, cloud_settings(place.kind))};
    const auto value = uri_decode(setting.substr(equals + 1));
    if (!value || value->empty())
      return Error{ErrorCode::kUsage, fmt::format("the setting '{}' of the repository '{}' has no value, or a '%' "
                                                  "without two hex digits behind it",
                                                  name, place.name)};
    *target = *value;
  }
  return {};
}

// "@offsite": what the configuration says under that name.
Result<RepositoryPlace> named_place(std::string_view text, const GlobalOptions& options) {
  const std::string_view name = text.substr(1);
  const auto found = options.repositories.find(name);
  if (found == options.repositories.end()) {
    std::string known;
    for (const auto& [other, repository] : options.repositories) known += (known.empty() ? "@" : ", @") + other;
    return Error{ErrorCode::kUsage,
                 fmt::format("the configuration has no [repository.{}]{}; `drstream config check` names the files that "
                             "were read (a directory of this name is ./{})",
                             name, known.empty() ? ", and no other" : "; it has " + known, text)};
  }
  GlobalOptions own;
  own.cloud = found->second.cloud;
  own.cache = found->second.cache;
  DRS_ASSIGN_OR_RETURN(RepositoryPlace place, parse_repository_place(found->second.place, own));
  if (!place.key.any()) place.key = found->second.key;
  return place;
}

}  // namespace

std::string* setting_of(RepositoryPlace& place, std::string_view name) {
  if (name == "key-file") return &place.key.key_file;
  if (name == "passphrase-file") return &place.key.passphrase_file;
  if (name == "passphrase-command") return &place.key.passphrase_command;
  if (place.kind == RepositoryPlace::Kind::kLocal) return nullptr;
  if (name == "endpoint-url") return &place.cloud.endpoint_url;
  if (name == "ca-file") return &place.cloud.ca_file;
  if (place.kind == RepositoryPlace::Kind::kGcs)
    return name == "credentials-file" ? &place.cloud.credentials_file : nullptr;
  if (name == "region") return &place.cloud.region;
  if (name == "profile") return &place.cloud.profile;
  if (name == "address-style") return &place.cloud.address_style;
  return nullptr;
}

Result<RepositoryPlace> parse_repository_place(std::string_view text, const GlobalOptions& options) {
  if (text.empty())
    return Error{
        ErrorCode::kUsage,
        "no repository was named; give --repository DIR, s3://bucket/prefix, gs://bucket/prefix or @NAME of the "
        "configuration, or set DRSTREAM_REPOSITORY"};
  if (text.front() == '@') return named_place(text, options);
  RepositoryPlace place;
  place.cloud = options.cloud;
  place.cache = options.cache;
  const std::string_view scheme = scheme_of(text);
  const std::size_t mark = text.find('?');
  if (scheme.empty()) {
    std::error_code unknown;
    const bool has_settings = mark != std::string_view::npos && mark > 0 && is_key_setting(text.substr(mark + 1)) &&
                              !std::filesystem::is_directory(text, unknown);
    place.name = text.substr(0, has_settings ? mark : text.size());
    if (has_settings) DRS_RETURN_IF_ERROR(take_settings(place, text.substr(mark + 1)));
    return place;
  }
  const std::string_view url = text.substr(0, mark);
  place.name = url;
  if (scheme == "file") {
    place.name = url.substr(std::string_view("file://").size());
  } else if (scheme == "s3") {
    place.kind = RepositoryPlace::Kind::kS3;
  } else if (scheme == "gs") {
    place.kind = RepositoryPlace::Kind::kGcs;
  } else {
    return Error{
        ErrorCode::kUsage,
        fmt::format("the repository '{}' is not supported by this build: directories, s3:// and gs:// are", url)};
  }
  if (place.name.empty()) return Error{ErrorCode::kUsage, fmt::format("'{}' names no directory", url)};
  if (place.kind != RepositoryPlace::Kind::kLocal && !is_utf8(url))
    return Error{ErrorCode::kUsage, fmt::format("the URL '{}' is no UTF-8, as names in a bucket have to be", url)};
  if (mark != std::string_view::npos) DRS_RETURN_IF_ERROR(take_settings(place, text.substr(mark + 1)));
  return place;
}

Result<RepositoryPlace> repository_place(const GlobalOptions& options) {
  DRS_ASSIGN_OR_RETURN(RepositoryPlace place, parse_repository_place(options.repository, options));
  if (place.kind == RepositoryPlace::Kind::kLocal) DRS_RETURN_IF_ERROR(refuse_object_options(place.cloud, place.name));
  return place;
}

}  // namespace drs
