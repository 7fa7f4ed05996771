#include "engine/format/kinds.h"

namespace drs {

bool is_known_kind(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(ObjectKind::kPack) && kind <= static_cast<std::uint8_t>(ObjectKind::kHold);
}

std::string_view object_kind_name(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kPack: return "pack";
    case ObjectKind::kIndex: return "index";
    case ObjectKind::kManifest: return "manifest";
    case ObjectKind::kRemoved: return "removed";
    case ObjectKind::kConfig: return "config";
    case ObjectKind::kSlot: return "slot";
    case ObjectKind::kSession: return "session";
    case ObjectKind::kCondemned: return "condemned";
    case ObjectKind::kDamaged: return "damaged";
    case ObjectKind::kWaits: return "waits";
    case ObjectKind::kFence: return "fence";
    case ObjectKind::kRetired: return "retired";
    case ObjectKind::kKept: return "kept";
    case ObjectKind::kVerified: return "verified";
    case ObjectKind::kHold: return "hold";
  }
  return "unknown";
}

std::string to_string(const BlockId& id) {
  return id.session.hex() + ":" + std::to_string(id.counter);
}

}  // namespace drs
