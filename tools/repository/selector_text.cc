#include "tools/repository/selector_text.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "engine/format/manifest_texts.h"
#include "io/base/ascii.h"
#include "io/base/pattern.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

constexpr std::size_t kStreamNameCharsMax = 200;
constexpr std::size_t kIdDigits = 2 * Uuid::kBytes;
constexpr std::size_t kIdDigitsMin = 8;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

bool is_stream_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._+=:,-").find(c) != std::string_view::npos;
}

bool looks_like_id(std::string_view text) {
  return text.size() >= kIdDigitsMin && text.size() <= kIdDigits &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

// The time with which a snapshot counts, and the one that its clock gave, where that is another.
std::string made_text(WallNs made_ns, const Snapshot& snapshot) {
  const WallNs recorded_ns = snapshot.manifest.snapshot_ns;
  if (made_ns == recorded_ns) return format_time_local(made_ns);
  return fmt::format("{} (its clock said {}, which the snapshots pushed before or after it contradict)",
                     format_time_local(made_ns), format_time_local(recorded_ns));
}

// That a snapshot was held to be too new.
std::string held_back_text(const SnapshotCatalog& catalog, const Snapshot& held) {
  return fmt::format(
      "snapshot {} has the time {} from its clock and was pushed after one of {}, so it counts as no older than that: "
      "one of the two clocks was wrong; to select it, name it by its id",
      held.id(), format_time_local(held.manifest.snapshot_ns), format_time_local(made_ns_of(catalog, held)));
}

constexpr std::size_t kTagValueBytesMax = 1000;
constexpr std::size_t kTagKeyBytesMax = 100;

bool is_good_key(std::string_view key) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !key.empty() && key.size() <= kTagKeyBytesMax && key.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_good_value(std::string_view value) {
  if (value.size() > kTagValueBytesMax) return false;
  for (const char c : value)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  return true;
}

}  // namespace

Result<void> check_stream_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= kStreamNameCharsMax && name.front() != '-';
  char previous = '/';
  for (const char c : name) {
    good = good && (is_stream_name_char(c) || (c == '/' && previous != '/'));
    previous = c;
  }
  if (good && previous != '/') return {};
  return Error(
      ErrorCode::kUsage,
      fmt::format("'{}' is not a stream name; accepted are 1 to {} of the characters A-Z a-z 0-9 . _ + = : , -, "
                  "in parts joined by '/', not beginning with '-', such as pg/app",
                  name, kStreamNameCharsMax));
}

Result<void> check_new_stream_name(std::string_view name) {
  DRS_RETURN_IF_ERROR(check_stream_name(name));
  if (!looks_like_id(name)) return {};
  return Error(ErrorCode::kUsage,
               fmt::format("'{}' is not accepted as the name of a stream: {} to {} hex digits look like a snapshot's "
                           "id. Add something other than hex digits, such as pg/{}",
                           name, kIdDigitsMin, kIdDigits, name));
}

bool is_stream_pattern(std::string_view text) {
  return text.ends_with('/') || is_glob(text);
}

bool stream_matches(const std::string& text, const std::string& stream) {
  if (!is_stream_pattern(text)) return text == stream;
  return matches_glob(text.ends_with('/') ? text + "*" : text, stream);
}

Result<Selector> parse_selector(std::string_view text, const std::function<bool(std::string_view)>& stream_exists,
                                WallNs now_ns) {
  Selector selector;
  selector.text = text;
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    const std::string_view stream = text.substr(0, at);
    const std::string_view when = text.substr(at + 1);
    DRS_RETURN_IF_ERROR(check_stream_name(stream));
    selector.stream = stream;
    if (when == "latest") return selector;
    auto time = parse_time(when, now_ns, TimeEdge::kEnd);
    if (!time.ok())
      return Error(ErrorCode::kUsage,
                   fmt::format("in the selector '{}': {}, and latest", text, std::move(time).error().message));
    selector.at_or_before = *time;
    return selector;
  }
  if (looks_like_id(text) && !stream_exists(text)) {
    selector.text = ascii_lower(text);
    return selector;
  }
  if (!check_stream_name(text).ok())
    return Error(ErrorCode::kUsage,
                 fmt::format("'{}' selects no snapshot; accepted are a stream (pg/app), pg/app@latest, "
                             "pg/app@2026-11-20T02:00, an id, or its first {} or more digits",
                             text, kIdDigitsMin));
  selector.stream = text;
  return selector;
}

Result<const Snapshot*> find_snapshot(const SnapshotCatalog& catalog, std::string_view text, WallNs now_ns,
                                      std::span<const LostSnapshot> lost) {
  const auto stream_exists = [&catalog](std::string_view name) { return catalog.latest(name) != nullptr; };
  DRS_ASSIGN_OR_RETURN(const Selector selector, parse_selector(text, stream_exists, now_ns));
  auto found = select_snapshot(catalog, selector, lost);
  const bool is_short_id = text.size() < kIdDigitsMin && text.find_first_not_of(kHexDigits) == std::string_view::npos;
  if (!found.ok() && found.error().code == ErrorCode::kNoSnapshot && is_short_id)
    return Error(ErrorCode::kNoSnapshot,
                 fmt::format("{}; of an id at least {} digits must be given", found.error().message, kIdDigitsMin));
  if (found.ok() || found.error().code != ErrorCode::kNoSnapshot || !selector.at_or_before) return found;
  const std::vector<DatedSnapshot> dated = oldest_first(catalog, selector.stream);
  if (dated.empty()) return found;
  const DatedSnapshot& oldest = dated.front();
  const Snapshot* const held = held_back(catalog, selector);
  return Error(ErrorCode::kNoSnapshot,
               fmt::format("stream '{}' has no snapshot at or before {}; its oldest is of {} ({}){}", selector.stream,
                           format_time_local(*selector.at_or_before), made_text(oldest.made_ns, *oldest.snapshot),
                           oldest.snapshot->id(), held == nullptr ? "" : "; " + held_back_text(catalog, *held)));
}

std::vector<std::string> clock_warnings(const SnapshotCatalog& catalog, std::string_view text, WallNs now_ns,
                                        const Snapshot& found) {
  const auto selector = parse_selector(
      text, [](std::string_view) { return true; }, now_ns);
  if (!selector.ok() || !selector->at_or_before) return {};
  std::vector<std::string> warnings;
  const WallNs made_ns = made_ns_of(catalog, found);
  if (made_ns != found.manifest.snapshot_ns)
    warnings.push_back(fmt::format("'{}' is snapshot {} of {}", text, found.id(), made_text(made_ns, found)));
  // A clock that was far behind hides nothing that is newer than what was found.
  const Snapshot* const held = held_back(catalog, *selector);
  if (held != nullptr && held->manifest.snapshot_ns > made_ns)
    warnings.push_back(fmt::format("'{}' is snapshot {} of {}; {}", text, found.id(), format_time_local(made_ns),
                                   held_back_text(catalog, *held)));
  return warnings;
}

std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, std::string_view text,
                                              const Snapshot& found) {
  const std::string& stream = found.manifest.stream;
  if (text != stream && text != stream + "@latest") return std::nullopt;
  const DatedSnapshot last = last_by_time(catalog, stream);
  if (last.snapshot == nullptr || last.snapshot->name == found.name) return std::nullopt;
  return fmt::format(
      "'{}' selects the snapshot pushed last: {} of {}. Snapshot {} has a later time, {}: use its id to select it",
      text, found.id(), made_text(made_ns_of(catalog, found), found), last.snapshot->id(),
      made_text(last.made_ns, *last.snapshot));
}

bool selects_by_stream(std::string_view text, const Snapshot& found) {
  const std::string& stream = found.manifest.stream;
  return text == stream || text.starts_with(stream + "@");
}

std::optional<std::string> anomaly_warning(const SnapshotCatalog& catalog, std::string_view text,
                                           const Snapshot& found) {
  const ManifestHeader& manifest = found.manifest;
  const auto tag = manifest.tags.find(kAnomalyTag);
  if (tag == manifest.tags.end() || !selects_by_stream(text, found)) return std::nullopt;
  const Snapshot* const sound = catalog.latest_without_anomaly(manifest.stream, manifest.sequence);
  return fmt::format("'{}' is snapshot {} of {}, which missed a limit when it was pushed (tag anomaly: {}); {}", text,
                     found.id(), format_time_local(manifest.snapshot_ns), tag->second,
                     sound == nullptr ? "no older snapshot of the stream is without that tag"
                                      : fmt::format("the newest without that tag is {} of {}: use its id to select it",
                                                    sound->id(), format_time_local(sound->manifest.snapshot_ns)));
}

Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> tags;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (equals == std::string::npos || !is_good_key(key) || !is_good_value(value))
      return Error(ErrorCode::kUsage,
                   fmt::format("'{}' is not a tag; accepted is KEY=VALUE with a key of A-Z a-z 0-9 . _ -, such as "
                               "env=production",
                               text));
    if (!tags.emplace(key, value).second)
      return Error(ErrorCode::kUsage, fmt::format("the tag '{}' is given twice", key));
  }
  return tags;
}

Result<TagFilter> parse_tag_filter(const std::vector<std::string>& texts) {
  TagFilter filter;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = text.substr(equals + 1);
    if (!is_good_key(key) || (value && !is_good_value(*value)))
      return Error(ErrorCode::kUsage,
                   fmt::format("'{}' selects no tag; accepted is KEY=VALUE, or KEY for any value of it, with a key of "
                               "A-Z a-z 0-9 . _ -, such as env=production or env",
                               text));
    if (!filter.emplace(key, std::move(value)).second)
      return Error(ErrorCode::kUsage, fmt::format("the tag '{}' is given twice", key));
  }
  return filter;
}

bool has_tags(const std::map<std::string, std::string>& tags, const TagFilter& wanted) {
  for (const auto& [key, value] : wanted) {
    const auto found = tags.find(key);
    if (found == tags.end() || (value && found->second != *value)) return false;
  }
  return true;
}

std::string format_tags(const std::map<std::string, std::string>& tags) {
  std::string out;
  for (const auto& [key, value] : tags) out += (out.empty() ? "" : " ") + key + "=" + value;
  return out;
}

}  // namespace drs
