// Objects below manifests/: the manifest of a session, or the fence that replaces it.
#pragma once

#include <string>
#include <variant>

#include "engine/format/keys.h"
#include "engine/format/manifest.h"
#include "engine/format/marks.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// The kind that `object` declares, kManifest or kFence. Not authenticated; needs no key.
ObjectKind kind_under_manifests(ByteView object);

// Opens the object and checks that name and body match. Errors: kTruncated, kCorrupt, kFormatTooNew.
using ManifestObject = std::variant<Manifest, Fence>;
Result<ManifestObject> open_manifest_object(const RepositoryKeys& keys, const std::string& name, ByteView object);

// The same, but requires a manifest. Other errors: kConflict (a fence).
Result<Manifest> open_manifest(const RepositoryKeys& keys, const std::string& name, ByteView object);

// True if `object` is the authentic fence of that name.
bool is_fence(const RepositoryKeys& keys, const std::string& name, ByteView object);

}  // namespace drs
