// The prefixes under which objects of a repository lie (FORMAT.md "Objects").
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/format/names.h"

namespace drs {

// Whether a kind of object has names that begin with just this: "packs/".
inline bool is_name_prefix(std::string_view text) {
  constexpr std::array kKinds = {ObjectKind::kPack,    ObjectKind::kIndex,     ObjectKind::kManifest,
                                 ObjectKind::kRemoved, ObjectKind::kConfig,    ObjectKind::kSlot,
                                 ObjectKind::kSession, ObjectKind::kCondemned, ObjectKind::kDamaged};
  return std::ranges::any_of(kKinds, [text](ObjectKind kind) { return name_prefix(kind) == text; });
}

}  // namespace drs
