#include "tools/repository_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/config_values.h"
#include "tools/option_builder.h"
#include "tools/repository_place.h"
#include "tools/settings.h"

namespace drs {
namespace {

using Kind = RepositoryPlace::Kind;

// Settings of a place that are no options.
constexpr std::array<std::string_view, 2> kPlaceAlone = {"profile", "credentials-file"};

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kLocal: return "a directory";
    case Kind::kS3: return "a bucket of S3";
    case Kind::kGcs: return "a bucket of Google";
  }
  return "";
}

// Whether places of the kind have the setting; what is of no kind in particular, all buckets have.
bool has_setting(Kind kind, std::string_view key) {
  RepositoryPlace place;
  place.kind = kind;
  if (setting_of(place, key) != nullptr) return true;
  if (kind == Kind::kLocal) return false;
  for (const Kind other : {Kind::kS3, Kind::kGcs}) {
    place.kind = other;
    if (setting_of(place, key) != nullptr) return false;
  }
  return true;
}

Error unknown_key(const ConfigTable& table, const ConfigEntry& entry, const std::vector<Setting>& settings) {
  CLI::App global;
  GlobalOptions unused;
  declare_global_options(global, unused);
  if (global.get_option_no_throw("--" + entry.key) != nullptr)
    return config_error(entry.origin, fmt::format("'{}' is no setting of one repository: it belongs above the first "
                                                  "table",
                                                  entry.key));
  std::vector<std::string> known;
  for (const Setting& setting : settings) known.push_back(setting.key);
  return config_error(entry.origin, fmt::format("a repository has no setting '{}' ([repository.{}]){}", entry.key,
                                                table.name, did_you_mean(entry.key, known)));
}

}  // namespace

bool is_table_key(std::string_view key) {
  return key == kPlaceKey || std::ranges::find(kPlaceAlone, key) != kPlaceAlone.end();
}

Result<NamedRepository> named_repository(const ConfigTable& table, const GlobalOptions& base) {
  for (const ConfigEntry& entry : table.entries) DRS_RETURN_IF_ERROR(refuse_secret(entry));
  DRS_RETURN_IF_ERROR(refuse_two_keys(table.entries));
  NamedRepository out{"", table.origin, base.cloud, base.cache, {}};
  CLI::App app;
  declare_place_options(app, out.key, out.cloud, out.cache);
  as_setting(add_text(app, "--place", out.place, "PLACE", ""));
  as_setting(add_text(app, "--profile", out.cloud.profile, "NAME", ""));
  as_setting(add_text(app, "--credentials-file", out.cloud.credentials_file, "FILE", ""));
  const std::vector<Setting> settings = settings_of(app);

  const auto named = std::ranges::find(table.entries, kPlaceKey, &ConfigEntry::key);
  if (named == table.entries.end())
    return config_error(table.origin, fmt::format("[repository.{}] names no place; it needs place = \"/path\", "
                                                  "\"s3://bucket/prefix\" or \"gs://bucket/prefix\"",
                                                  table.name));
  DRS_RETURN_IF_ERROR(give_value(*find_setting(settings, kPlaceKey), *named));
  if (out.place.starts_with('@'))
    return config_error(named->origin, "'place' takes a directory, s3://bucket/prefix or gs://bucket/prefix");
  const auto place = parse_repository_place(out.place, base);
  if (!place.ok()) return config_error(named->origin, place.error().message);

  for (const ConfigEntry& entry : table.entries) {
    if (entry.key == kPlaceKey) continue;
    const Setting* const setting = find_setting(settings, entry.key);
    if (setting == nullptr) return unknown_key(table, entry, settings);
    if (!has_setting(place->kind, entry.key))
      return config_error(entry.origin, fmt::format("'{}' is no setting of {}, which {} is", entry.key,
                                                    kind_name(place->kind), place->name));
    DRS_RETURN_IF_ERROR(give_value(*setting, entry));
  }
  return out;
}

}  // namespace drs
