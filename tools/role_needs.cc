#include "tools/role_needs.h"

namespace drs {

S3PolicyNeeds role_needs(StoreRole role) {
  switch (role) {
    // Neither config and slots, which decide how everything is read, nor marks of removal and records of condemned
    // packs: who steals a writer's credentials and its key cannot make snapshots disappear with them.
    case StoreRole::kWriter:
      return {{"packs/", "index/", "manifests/", "sessions/", "damaged/", "doctor/"},
              {"packs/", "index/", "manifests/", "config/", "keys/"},
              false};
    case StoreRole::kSweeper: return {{"damaged/"}, {}, false};
    // Moved blocks, rewritten index objects, fences in the place of manifests.
    case StoreRole::kPruner:
      return {{"packs/", "index/", "manifests/", "removed/", "condemned/", "damaged/", "doctor/"},
              {"packs/", "index/", "manifests/", "removed/"},
              true};
  }
  return {};
}

}  // namespace drs
