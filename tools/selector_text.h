// What names a stream and what selects a snapshot on the command line. The meaning of a selector is
// engine/repository/snapshot_selection.h; here is its text alone.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/repository/snapshot_selection.h"
#include "io/result.h"

namespace drs {

// A stream's name: 1 to 200 characters, parts of A-Z a-z 0-9 . _ + = : , - joined by '/'; not beginning with '-'.
// Errors: kUsage, saying what is accepted.
Result<void> check_stream_name(std::string_view name);
// The name of a stream to push to: no name that a snapshot's id, or the first digits of one, can be. A stream of such a
// name, from an earlier version, stays selectable. Errors: kUsage.
Result<void> check_new_stream_name(std::string_view name);

// Several streams at once: "pg/", all that begin so; "*/app", a pattern with * (any text, '/' included), ? or [...].
bool is_stream_pattern(std::string_view text);
// Whether `stream` is the one that `text` names, or one of those that it means as a pattern.
bool stream_matches(const std::string& text, const std::string& stream);

// "pg/app", "pg/app@latest", "pg/app@<time>", an id (32 hex digits) or the first digits of one (at least 8). A time
// means the end of the second, minute or day that it names.
// Text that could be both a stream's name and an id is the stream where `stream_exists` says that there is one.
// Errors: kUsage, saying what is accepted.
Result<Selector> parse_selector(std::string_view text, const std::function<bool(std::string_view)>& stream_exists,
                                WallNs now_ns);

// Parses against the streams of `catalog` and selects. Errors: kUsage, saying what is accepted; those of
// select_snapshot.
Result<const Snapshot*> find_snapshot(const SnapshotCatalog& catalog, std::string_view text, WallNs now_ns,
                                      std::span<const LostSnapshot> lost);

// Where `text` selected `found` as the latest of its stream, though another snapshot has a later time: what to say of
// it. Sequence numbers are right where a clock was not, but a dump that was imported with an old time came last, too.
std::optional<std::string> later_time_warning(const SnapshotCatalog& catalog, std::string_view text,
                                              const Snapshot& found);

// Where `text` selected `found` by its stream, though it was committed with the tag "anomaly": what to say of it, and
// which older snapshot of the stream is without that tag.
std::optional<std::string> anomaly_warning(const SnapshotCatalog& catalog, std::string_view text,
                                           const Snapshot& found);

}  // namespace drs
