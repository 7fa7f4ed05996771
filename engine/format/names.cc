#include "engine/format/names.h"

#include "engine/format/object_rules.h"

namespace drs {
namespace {

constexpr std::size_t kNumberDigits = 8;

std::string number_text(std::uint32_t number) {
  DRS_ASSERT(number <= kNumberInNameMax, "a number in a name has at most 8 digits");
  const std::string digits = std::to_string(number);
  return std::string(kNumberDigits - digits.size(), '0') + digits;
}

bool parse_number(std::string_view text, std::uint32_t& number) {
  if (text.size() != kNumberDigits) return false;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return true;
}

// Accepts lower case only, so that each object has exactly one name.
bool parse_hex(std::string_view text, MutableByteView out) {
  for (const char c : text)
    if (c >= 'A' && c <= 'F') return false;
  return from_hex(text, out);
}

// Splits "<first><separator><second>", with `first_digits` characters before the separator.
bool split_at(std::string_view text, std::size_t first_digits, char separator, std::string_view& first,
              std::string_view& second) {
  if (text.size() <= first_digits || text[first_digits] != separator) return false;
  first = text.substr(0, first_digits);
  second = text.substr(first_digits + 1);
  return true;
}

bool parse_tag_and_session(std::string_view text, ParsedName& name) {
  std::string_view tag, session;
  return split_at(text, 2 * StreamTag::kBytes, '-', tag, session) && parse_hex(tag, name.tag.mutable_view()) &&
         parse_hex(session, name.uuid.mutable_view());
}

bool parse_rest(std::string_view rest, ParsedName& name) {
  std::string_view first, second;
  switch (name.kind) {
    case ObjectKind::kPack:
      return split_at(rest, 2, '/', first, second) && parse_hex(second, name.digest.mutable_view()) &&
             second.starts_with(first);
    case ObjectKind::kIndex: return parse_hex(rest, name.digest.mutable_view());
    case ObjectKind::kDamaged:
      return split_at(rest, 2 * Digest::kBytes, '-', first, second) && parse_hex(first, name.digest.mutable_view()) &&
             parse_hex(second, name.uuid.mutable_view());
    case ObjectKind::kManifest:
    case ObjectKind::kRetired:
    case ObjectKind::kRemoved: return parse_tag_and_session(rest, name);
    case ObjectKind::kConfig: return parse_number(rest, name.number);
    case ObjectKind::kSlot:
    case ObjectKind::kWaits:
    case ObjectKind::kVerified:
    case ObjectKind::kCondemned: return parse_hex(rest, name.uuid.mutable_view());
    case ObjectKind::kSession:
    case ObjectKind::kKept:
    case ObjectKind::kHold:
      return split_at(rest, 2 * StreamTag::kBytes + 1 + 2 * Uuid::kBytes, '-', first, second) &&
             parse_tag_and_session(first, name) && parse_number(second, name.number);
    case ObjectKind::kFence: break;
  }
  return false;
}

}  // namespace

std::string_view name_prefix(ObjectKind kind) {
  return object_rule(kind).prefix;
}

std::string pack_name(const Digest& digest) {
  const std::string hex = digest.hex();
  return "packs/" + hex.substr(0, 2) + "/" + hex;
}

std::string index_name(const Digest& digest) {
  return "index/" + digest.hex();
}

std::string config_name(std::uint32_t number) {
  return "config/" + number_text(number);
}

std::string slot_name(const Uuid& slot) {
  return "keys/" + slot.hex();
}

std::string manifest_name(const StreamTag& tag, const Uuid& session) {
  return "manifests/" + tag.hex() + "-" + session.hex();
}

std::string removed_name(std::string_view manifest_name) {
  constexpr std::string_view kPrefix = "manifests/";
  if (!manifest_name.starts_with(kPrefix)) return {};  // a mark with such a name comes from a faulty writer
  return "removed/" + std::string(manifest_name.substr(kPrefix.size()));
}

std::string session_name(const StreamTag& tag, const Uuid& session, std::uint32_t heartbeat) {
  return "sessions/" + tag.hex() + "-" + session.hex() + "-" + number_text(heartbeat);
}

std::string condemned_name(const Uuid& id) {
  return "condemned/" + id.hex();
}

std::string damaged_name(const Digest& pack, const Uuid& mark) {
  return "damaged/" + pack.hex() + "-" + mark.hex();
}

std::string waits_name(const Uuid& record) {
  return "waits/" + record.hex();
}

std::string retired_name(const StreamTag& tag, const Uuid& id) {
  return "retired/" + tag.hex() + "-" + id.hex();
}

std::string kept_name(const StreamTag& tag, const Uuid& session, std::uint32_t number) {
  return "kept/" + tag.hex() + "-" + session.hex() + "-" + number_text(number);
}

std::string hold_name(const StreamTag& tag, const Uuid& session, std::uint32_t number) {
  return "holds/" + tag.hex() + "-" + session.hex() + "-" + number_text(number);
}

std::string verified_name(const Uuid& id) {
  return "verified/" + id.hex();
}

std::string object_name(const ParsedName& name) {
  switch (name.kind) {
    case ObjectKind::kPack: return pack_name(name.digest);
    case ObjectKind::kIndex: return index_name(name.digest);
    case ObjectKind::kFence:
    case ObjectKind::kManifest: return manifest_name(name.tag, name.uuid);
    case ObjectKind::kRemoved: return removed_name(manifest_name(name.tag, name.uuid));
    case ObjectKind::kConfig: return config_name(name.number);
    case ObjectKind::kSlot: return slot_name(name.uuid);
    case ObjectKind::kSession: return session_name(name.tag, name.uuid, name.number);
    case ObjectKind::kCondemned: return condemned_name(name.uuid);
    case ObjectKind::kDamaged: return damaged_name(name.digest, name.uuid);
    case ObjectKind::kWaits: return waits_name(name.uuid);
    case ObjectKind::kRetired: return retired_name(name.tag, name.uuid);
    case ObjectKind::kKept: return kept_name(name.tag, name.uuid, name.number);
    case ObjectKind::kVerified: return verified_name(name.uuid);
    case ObjectKind::kHold: return hold_name(name.tag, name.uuid, name.number);
  }
  return {};
}

bool is_folder_name(std::string_view name) {
  const std::string_view top = name.substr(0, name.find('/'));
  const ObjectRule* const rule = find_object_rule(std::string(top) + "/");
  if (rule == nullptr || top == name) return rule != nullptr;
  FixedBytes<1> first;
  return rule->kind == ObjectKind::kPack && parse_hex(name.substr(rule->prefix.size()), first.mutable_view());
}

std::optional<ParsedName> parse_name(std::string_view name) {
  const ObjectRule* const rule = find_object_rule(name.substr(0, name.find('/') + 1));
  if (rule == nullptr) return std::nullopt;
  ParsedName parsed{.kind = rule->kind, .digest = {}, .uuid = {}, .tag = {}, .number = 0};
  if (!parse_rest(name.substr(rule->prefix.size()), parsed)) return std::nullopt;
  return parsed;
}

}  // namespace drs
