// Names of stored objects: how they are made, and how a listed name is taken apart (FORMAT.md "Objects").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/format/kinds.h"
#include "io/bytes.h"

namespace drs {

using StreamTag = FixedBytes<16>;

// The numbers in names have 8 decimal digits.
inline constexpr std::uint32_t kNumberInNameMax = 99'999'999;

std::string pack_name(const Digest& digest);                           // packs/3f/3fa0...
std::string index_name(const Digest& digest);                          // index/3fa0...
std::string config_name(std::uint32_t number);                         // config/00000001
std::string slot_name(const Uuid& slot);                               // keys/...
std::string manifest_name(const StreamTag& tag, const Uuid& session);  // manifests/<tag>-<session>
std::string removed_name(std::string_view manifest_name);              // removed/<tag>-<session>
// sessions/<tag>-<session>-00000000. The tag is of the stream whose manifest the session may create: with it the name
// says which name a fence takes, whatever became of the object.
std::string session_name(const StreamTag& tag, const Uuid& session, std::uint32_t heartbeat);
std::string condemned_name(const Uuid& id);
std::string damaged_name(const Digest& pack, const Uuid& mark);  // damaged/<pack>-<mark>

// What all names of a kind begin with: "packs/". A fence has a manifest's name.
std::string_view name_prefix(ObjectKind kind);

// Whether names of ours lie below this one: "packs", "packs/3f". A folder of the store then, never an object.
bool is_folder_name(std::string_view name);

// What a listed name is. Empty for names that are not ours.
struct ParsedName {
  ObjectKind kind;
  Digest digest;             // packs, index, damaged
  Uuid uuid;                 // slots, sessions, condemned, damaged; the session of manifests and removed marks
  StreamTag tag;             // manifests, removed marks, sessions
  std::uint32_t number = 0;  // config, heartbeat
};
std::optional<ParsedName> parse_name(std::string_view name);

}  // namespace drs
