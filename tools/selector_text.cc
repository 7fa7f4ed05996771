#include "tools/selector_text.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <string>

#include "tools/time_text.h"

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

// The oldest snapshot of a stream by its time, or nullptr.
const Snapshot* oldest_of(const SnapshotCatalog& catalog, std::string_view stream) {
  const Snapshot* oldest = nullptr;
  for (const Snapshot& snapshot : catalog.live) {
    if (snapshot.manifest.stream != stream) continue;
    if (oldest == nullptr || snapshot.manifest.snapshot_ns < oldest->manifest.snapshot_ns) oldest = &snapshot;
  }
  return oldest;
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
  return Error{
      ErrorCode::kUsage,
      fmt::format("'{}' is not a stream name; accepted are 1 to {} of the characters A-Z a-z 0-9 . _ + = : , -, "
                  "in parts joined by '/', not beginning with '-', such as pg/app",
                  name, kStreamNameCharsMax)};
}

Result<void> check_new_stream_name(std::string_view name) {
  DRS_RETURN_IF_ERROR(check_stream_name(name));
  if (!looks_like_id(name)) return {};
  return Error{ErrorCode::kUsage,
               fmt::format("'{}' is not accepted as the name of a stream: {} to {} hex digits look like a snapshot's "
                           "id. Add a part that is no hex digit, such as pg/{}",
                           name, kIdDigitsMin, kIdDigits, name)};
}

bool is_stream_pattern(std::string_view text) {
  return text.ends_with('/') || text.find_first_of("*?[") != std::string_view::npos;
}

bool stream_matches(const std::string& text, const std::string& stream) {
  if (!is_stream_pattern(text)) return text == stream;
  const std::string pattern = text.ends_with('/') ? text + "*" : text;
  return ::fnmatch(pattern.c_str(), stream.c_str(), 0) == 0;
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
      return Error{ErrorCode::kUsage,
                   fmt::format("in the selector '{}': {}, and latest", text, std::move(time).error().message)};
    selector.at_or_before = *time;
    return selector;
  }
  if (looks_like_id(text) && !stream_exists(text)) {
    std::transform(text.begin(), text.end(), selector.text.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
    return selector;
  }
  if (!check_stream_name(text).ok())
    return Error{ErrorCode::kUsage,
                 fmt::format("'{}' selects no snapshot; accepted are a stream (pg/app), pg/app@latest, "
                             "pg/app@2026-11-20T02:00, an id, or its first {} or more digits",
                             text, kIdDigitsMin)};
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
    return Error{ErrorCode::kNoSnapshot,
                 fmt::format("{}; of an id at least {} digits must be given", found.error().message, kIdDigitsMin)};
  if (found.ok() || found.error().code != ErrorCode::kNoSnapshot || !selector.at_or_before) return found;
  const Snapshot* const oldest = oldest_of(catalog, selector.stream);
  if (oldest == nullptr) return found;
  return Error{ErrorCode::kNoSnapshot,
               fmt::format("stream '{}' has no snapshot at or before {}; its oldest is of {} ({})", selector.stream,
                           format_time_local(*selector.at_or_before), format_time_local(oldest->manifest.snapshot_ns),
                           oldest->id())};
}

std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, std::string_view text,
                                              const Snapshot& found) {
  const std::string& stream = found.manifest.stream;
  if (text != stream && text != stream + "@latest") return std::nullopt;
  const DatedSnapshot last = last_by_time(catalog, stream);
  if (last.snapshot == nullptr || last.snapshot->name == found.name) return std::nullopt;
  return fmt::format(
      "'{}' means what was pushed last: {} of {}. Snapshot {} has a later time, {}: name it by its id to select it",
      text, found.id(), format_time_local(found.manifest.snapshot_ns), last.snapshot->id(),
      format_time_local(last.snapshot->manifest.snapshot_ns));
}

std::optional<std::string> anomaly_warning(const SnapshotCatalog& catalog, std::string_view text,
                                           const Snapshot& found) {
  const ManifestHeader& manifest = found.manifest;
  const auto tag = manifest.tags.find("anomaly");
  const bool by_stream = text == manifest.stream || text.starts_with(manifest.stream + "@");
  if (tag == manifest.tags.end() || !by_stream) return std::nullopt;
  const Snapshot* sound = nullptr;  // they come by sequence number
  for (const Snapshot& snapshot : catalog.live)
    if (snapshot.manifest.stream == manifest.stream && snapshot.manifest.sequence < manifest.sequence &&
        !snapshot.manifest.tags.contains("anomaly"))
      sound = &snapshot;
  return fmt::format("'{}' is snapshot {} of {}, which missed a limit when it was pushed (tag anomaly: {}); {}", text,
                     found.id(), format_time_local(manifest.snapshot_ns), tag->second,
                     sound == nullptr
                         ? "no older snapshot of the stream is without that tag"
                         : fmt::format("the newest without that tag is {} of {}: name it by its id to select it",
                                       sound->id(), format_time_local(sound->manifest.snapshot_ns)));
}

}  // namespace drs
