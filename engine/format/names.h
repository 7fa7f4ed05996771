// Names of stored objects: builds them and parses listed names (FORMAT.md "Objects").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/format/kinds.h"
#include "io/base/bytes.h"

namespace drs {

using StreamTag = FixedBytes<16>;
struct ParsedName;

// The numbers in names have 8 decimal digits.
inline constexpr std::uint32_t kNumberInNameMax = 99'999'999;

std::string pack_name(const Digest& digest);                           // packs/3f/3fa0...
std::string index_name(const Digest& digest);                          // index/3fa0...
std::string config_name(std::uint32_t number);                         // config/00000001
std::string slot_name(const Uuid& slot);                               // keys/...
std::string manifest_name(const StreamTag& tag, const Uuid& session);  // manifests/<tag>-<session>
std::string removed_name(std::string_view manifest_name);              // removed/<tag>-<session>
// sessions/<tag>-<session>-00000000. The tag belongs to the stream whose manifest the session may create. So the name
// of the session determines the name of its fence, even if the object is damaged.
std::string session_name(const StreamTag& tag, const Uuid& session, std::uint32_t heartbeat);
std::string condemned_name(const Uuid& id);
std::string damaged_name(const Digest& pack, const Uuid& mark);  // damaged/<pack>-<mark>
std::string waits_name(const Uuid& record);                      // waits/<part of the condemned record's name>
std::string retired_name(const StreamTag& tag, const Uuid& id);  // retired/<tag>-<id>
// kept/<tag>-<session>-00000000 and holds/<tag>-<session>-00000000. Both end as the held manifest's name does.
std::string kept_name(const StreamTag& tag, const Uuid& session, std::uint32_t number);
std::string hold_name(const StreamTag& tag, const Uuid& session, std::uint32_t number);
std::string verified_name(const Uuid& id);
// The inverse of parse_name. A fence has the name of a manifest.
std::string object_name(const ParsedName& name);

// The prefix of all names of a kind: "packs/". A fence has the name of a manifest.
std::string_view name_prefix(ObjectKind kind);

// True if the name is a folder of the repository's objects, never an object itself: "packs", "packs/3f".
bool is_folder_name(std::string_view name);

// A parsed object name.
struct ParsedName {
  ObjectKind kind;
  Digest digest;  // packs, index, damaged
  // Slots, sessions, condemned, waits, damaged, retired, verified; the session of manifests, removed marks, kept,
  // holds.
  Uuid uuid;
  StreamTag tag;             // manifests, removed marks, sessions, retired, kept, holds
  std::uint32_t number = 0;  // config, heartbeat, kept, holds
};
// Returns nullopt for names that drstream does not use.
std::optional<ParsedName> parse_name(std::string_view name);

}  // namespace drs
