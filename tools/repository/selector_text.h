// How streams, snapshots and tags are written on the command line. The meaning of a selector is in
// engine/repository/snapshot_selection.h; this is only its syntax.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/repository/snapshot_selection.h"
#include "io/base/result.h"

namespace drs {

// A stream's name: 1 to 200 characters, parts of A-Z a-z 0-9 . _ + = : , - joined by '/'; not beginning with '-'.
// Errors: kUsage, saying what is accepted.
Result<void> check_stream_name(std::string_view name);
// Checks the name of a stream to push to: it must not look like a snapshot's id or the first digits of one. A stream of
// such a name from an earlier version stays selectable. Errors: kUsage.
Result<void> check_new_stream_name(std::string_view name);

// A pattern for several streams: "pg/", all that begin so; "*/app", a pattern with * (any text, '/' included), ? or
// [...].
bool is_stream_pattern(std::string_view text);
// Whether `stream` is named `text`, or matches it as a pattern.
bool stream_matches(const std::string& text, const std::string& stream);

// "pg/app", "pg/app@latest", "pg/app@<time>", an id (32 hex digits) or the first digits of one (at least 8). A time
// means the end of the second, minute or day that it names. Text that could be both a stream's name and an id is the
// stream if `stream_exists` says that there is one. Errors: kUsage, saying what is accepted.
Result<Selector> parse_selector(std::string_view text, const std::function<bool(std::string_view)>& stream_exists,
                                WallNs now_ns);

// Parses against the streams of `catalog` and selects. Errors: kUsage, saying what is accepted; those of
// select_snapshot.
Result<const Snapshot*> find_snapshot(const SnapshotCatalog& catalog, std::string_view text, WallNs now_ns,
                                      std::span<const LostSnapshot> lost);

// The warnings if `text` selected `found` by a time and clocks disagree: that `found` counts with another time than its
// clock gave it, and which other snapshot may be meant (held_back).
std::vector<std::string> clock_warnings(const SnapshotCatalog& catalog, std::string_view text, WallNs now_ns,
                                        const Snapshot& found);

// The warning if `text` selected `found` as the latest of its stream, but another snapshot has a later time. Sequence
// numbers are right where a clock was wrong, but a dump that was imported with an old time has the highest number, too.
std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, std::string_view text,
                                              const Snapshot& found);

// Whether `text` selected `found` by its stream, not by an id.
bool selects_by_stream(std::string_view text, const Snapshot& found);

// The warning if `text` selected `found` by its stream, and it was committed with the tag "anomaly"; names the newest
// older snapshot without that tag.
std::optional<std::string> anomaly_warning(const SnapshotCatalog& catalog, std::string_view text,
                                           const Snapshot& found);

// Tags, "key=value". Keys of A-Z a-z 0-9 . _ -, values of printable UTF-8 up to 1000 bytes. A key given twice is
// refused. Errors: kUsage, saying what is accepted.
Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& texts);

// A filter by tags: "key=value", or "key" for any value. Errors: kUsage, saying what is accepted.
using TagFilter = std::map<std::string, std::optional<std::string>>;
Result<TagFilter> parse_tag_filter(const std::vector<std::string>& texts);

// True when `tags` has all of `wanted`.
bool has_tags(const std::map<std::string, std::string>& tags, const TagFilter& wanted);

std::string format_tags(const std::map<std::string, std::string>& tags);  // "a=1 b=2"

}  // namespace drs
