#include "engine/format/manifest_object.h"

#include <utility>

#include "engine/format/corrupt.h"
#include "engine/format/document.h"
#include "engine/format/names.h"

namespace drs {
namespace {

constexpr std::size_t kKindAt = 6;  // offset in the envelope

Result<void> check_name(const RepositoryKeys& keys, const std::string& name, const std::string& stream,
                        const Uuid& session) {
  if (manifest_name(keys.stream_tag(stream), session) == name) return {};
  return corrupt("the name does not match the content: session ", session.hex(), " of stream ", stream);
}

}  // namespace

ObjectKind kind_under_manifests(ByteView object) {
  const bool says_fence = object.size() > kKindAt && object[kKindAt] == static_cast<Byte>(ObjectKind::kFence);
  return says_fence ? ObjectKind::kFence : ObjectKind::kManifest;
}

Result<ManifestObject> open_manifest_object(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  const ObjectKind kind = kind_under_manifests(object);
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, kind, name, object));
  if (kind == ObjectKind::kFence) {
    DRS_ASSIGN_OR_RETURN(Fence fence, decode_fence(body));
    DRS_RETURN_IF_ERROR(check_name(keys, name, fence.stream, fence.session));
    return ManifestObject(std::move(fence));
  }
  DRS_ASSIGN_OR_RETURN(Manifest manifest, decode_manifest(body));
  DRS_RETURN_IF_ERROR(check_name(keys, name, manifest.stream, manifest.session));
  return ManifestObject(std::move(manifest));
}

Result<Manifest> open_manifest(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(ManifestObject opened, open_manifest_object(keys, name, object));
  if (auto* const manifest = std::get_if<Manifest>(&opened)) return std::move(*manifest);
  return Error(ErrorCode::kConflict, name + " was fenced by " + std::get<Fence>(opened).fenced_by);
}

bool is_fence(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  if (kind_under_manifests(object) != ObjectKind::kFence) return false;
  return open_manifest_object(keys, name, object).ok();
}

}  // namespace drs
