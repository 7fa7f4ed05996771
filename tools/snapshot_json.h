// A snapshot as JSON: the same members in list, show and push; and the words for how its producer ended.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/repository/snapshots.h"

namespace drs {

nlohmann::ordered_json snapshot_json(const std::string& manifest_name, const Digest& manifest_digest,
                                     const ManifestHeader& manifest);

// For list and show, with the ids of its siblings, which ran at the same time and have its sequence number.
nlohmann::ordered_json snapshot_json(const SnapshotCatalog& catalog, const Snapshot& snapshot);

// How the producer ended, in a word: "exit 0", "file", "unseen", "captured ends".
std::string producer_word(const ManifestHeader& manifest);
// The same with what it means: "unseen: a plain pipe".
std::string producer_text(const ManifestHeader& manifest);
// Nothing shows that the stream is whole: its producer was unseen, and no trailer was required of it.
bool may_be_cut_short(const ManifestHeader& manifest);
// What a push says of it.
inline constexpr std::string_view kUnseenProducerWarning =
    "the producer was unseen: through a plain pipe one that failed looks like one that finished; run it by --exec -- "
    "CMD, or check its end with --require-trailer REGEX";

}  // namespace drs
