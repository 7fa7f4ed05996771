// What stands under a name of manifests/: the manifest of a session, or the fence that took its place.
#pragma once

#include <string>
#include <variant>

#include "engine/format/keys.h"
#include "engine/format/manifest.h"
#include "engine/format/marks.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// What `object` says that it is, kManifest or kFence. Needs no key, and proves nothing.
ObjectKind kind_under_manifests(ByteView object);

// Opens it, and checks that name and body agree. Errors: kTruncated, kCorrupt, kFormatTooNew.
using ManifestObject = std::variant<Manifest, Fence>;
Result<ManifestObject> open_manifest_object(const RepositoryKeys& keys, const std::string& name, ByteView object);

// The same where only a manifest will do. Errors: also kConflict (a fence).
Result<Manifest> open_manifest(const RepositoryKeys& keys, const std::string& name, ByteView object);

// True for the authentic fence of that name.
bool is_fence(const RepositoryKeys& keys, const std::string& name, ByteView object);

}  // namespace drs
