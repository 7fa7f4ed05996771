#include "engine/repository/settled_put.h"

#include <algorithm>

#include "codecs/sha256.h"
#include "engine/repository/read_again.h"

namespace drs {
namespace {

constexpr std::size_t kReadBytes = 1 * kMiB;
constexpr int kAttempts = 3;

bool is_open_question(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kAlreadyExists;
}

}  // namespace

Result<void> put_settled(ObjectStore& store, const ObjectKey& key, ByteView body, const Digest& digest) {
  auto stored = put_object(store, key, body, digest);
  if (stored.ok() || !is_open_question(stored.error().code)) return stored;
  return settle_put(store, key, body, digest, std::move(stored).error());
}

Result<void> settle_put(ObjectStore& store, const ObjectKey& key, ByteView body, const Digest& digest, Error error) {
  for (int attempt = 0;; ++attempt) {
    const auto info = store.stat(key);
    if (info.ok() && info->size_bytes == body.size()) {
      return read_again_if_damaged([&]() -> Result<void> {
        Sha256 hash;
        Bytes piece(std::min(kReadBytes, body.size()));
        for (std::size_t at = 0; at < body.size();) {
          const auto view = MutableByteView(piece).first(std::min(piece.size(), body.size() - at));
          DRS_RETURN_IF_ERROR(get_range(store, key, at, view));
          hash.update(view);
          at += view.size();
        }
        if (hash.finish() == digest) return {};
        return Error(ErrorCode::kCorrupt, key + " in " + store.name_for_messages() + " reads back wrong");
      });
    }
    if (info.ok())
      return Error(ErrorCode::kCorrupt, key + " in " + store.name_for_messages() + " has " +
                                            std::to_string(info->size_bytes) + " bytes, not " +
                                            std::to_string(body.size()));
    if (info.error().code == ErrorCode::kUnavailable) return error;
    if (info.error().code != ErrorCode::kNotFound) return info.error();
    if (attempt == kAttempts) return Error(ErrorCode::kUnavailable, key + " could not be stored: " + error.message);
    auto again = put_object(store, key, body, digest);
    if (again.ok() || !is_open_question(again.error().code)) return again;
    error = std::move(again).error();
  }
}

}  // namespace drs
