// A snapshot as JSON: the same members in list, show and push.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/repository/holds.h"
#include "engine/repository/snapshots.h"

namespace drs {

nlohmann::ordered_json snapshot_json(const std::string& manifest_name, const Digest& manifest_digest,
                                     const ManifestHeader& manifest);

// For list and show, with the ids of its siblings, which ran at the same time and have its sequence number, and with
// its hold.
nlohmann::ordered_json snapshot_json(const SnapshotCatalog& catalog, const Holds& holds, const Snapshot& snapshot);

}  // namespace drs
