#include "verify/too_new.h"

#include <algorithm>
#include <string>
#include <utility>

#include "codecs/sha256.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::uint64_t kPieceBytes = 256 * kKiB;

Result<Digest> digest_of_object(ObjectStore& store, const std::string& name) {
  DRS_ASSIGN_OR_RETURN(const ObjectInfo info, store.stat(name));
  const std::uint64_t bytes = info.size_bytes;
  Sha256 sha256;
  Bytes piece(static_cast<std::size_t>(std::min(bytes, kPieceBytes)));
  for (std::uint64_t at = 0; at < bytes; at += kPieceBytes) {
    piece.resize(static_cast<std::size_t>(std::min(bytes - at, kPieceBytes)));
    DRS_RETURN_IF_ERROR(get_range(store, name, at, piece));
    sha256.update(piece);
  }
  return sha256.finish();
}

}  // namespace

Finding::Severity severity_of(const Error& error) {
  return is_too_new(error) ? Finding::Severity::kTooNew : Finding::Severity::kDamage;
}

Result<void> tell_from_damage(ObjectStore& store, const std::string& name, Error& error) {
  if (!is_too_new(error)) return {};
  const auto digest = digest_of_object(store, name);
  if (!digest.ok() && !is_object_fault(digest.error())) return digest.error();
  if (!digest.ok()) {
    error = digest.error();
  } else if (*digest != parse_name(name)->digest) {
    error = Error(ErrorCode::kCorrupt, "the SHA-256 of its bytes is " + digest->hex() + ", expected its name (" +
                                           error.message + ": this is damage, not a newer version)");
  }
  return {};
}

}  // namespace drs
