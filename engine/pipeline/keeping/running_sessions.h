// The sessions that have objects under sessions/: pushes, copies and repairs under way, and those that died.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/repository/repository.h"

namespace drs {

struct RunningSession {
  Uuid session;
  StreamTag tag;
  std::vector<std::string> objects;     // their names, the last one first
  std::uint32_t number = 0;             // the highest of its objects
  WallNs stored_ns = 0;                 // the store's time of that object; 0 if unknown
  WallNs first_ns = 0;                  // the store's time of its oldest object; 0 if unknown
  Digest digest;                        // SHA-256 of its bytes; zeros if it could not be read
  std::optional<SessionRecord> record;  // of that object, or else of an older one that can be read
  [[nodiscard]] std::string manifest() const { return manifest_name(tag, session); }
};

// Lists sessions/ and reads the last object of each session, and older ones where that is gone or cannot be read. A
// session whose objects vanish meanwhile has ended, and is left out. Sorted by (session, tag). Errors: the store's.
Result<std::vector<RunningSession>> load_sessions(Repository& repository);

// Puts the fence of a session under the name of its manifest, unless a manifest or a fence is there. After success the
// session can never commit anything that is not listed. `stream`: the session's. Errors: those of put_settled, the
// store's.
struct FencedSession {
  Uuid session;
  std::string stream;
};
Result<void> put_fence(Repository& repository, const FencedSession& session, std::string_view fenced_by);

}  // namespace drs
