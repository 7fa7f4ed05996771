#include "sinks/settled_put.h"

#include <algorithm>

#include "codecs/sha256.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

using State = PutOutcome::State;

constexpr std::size_t kReadBytes = 1 * kMiB;  // read at a time

// Whether `part`, which was read at `at`, equals the body there.
bool is_part(ByteView body, std::size_t at, ByteView part) {
  return std::equal(part.begin(), part.end(), body.begin() + static_cast<std::ptrdiff_t>(at));
}

// Whether the object holds `body`, judged by its SHA-256 if the caller has it. Errors: kNotFound, those of a get.
Result<bool> holds(ObjectStore& store, const ObjectKey& key, ByteView body, const std::optional<Digest>& sha256) {
  Sha256 hash;
  // One byte more than the body has reveals a longer object.
  const std::size_t bytes_max = body.size() + 1;
  Bytes piece(std::min(kReadBytes, bytes_max));
  for (std::size_t at = 0;;) {
    const MutableByteView wanted = MutableByteView(piece).first(std::min(piece.size(), bytes_max - at));
    DRS_ASSIGN_OR_RETURN(const std::size_t delivered, get_up_to(store, key, at, wanted));
    if (delivered > body.size() - at) return false;
    const ByteView part = ByteView(wanted).first(delivered);
    if (sha256)
      hash.update(part);
    else if (!is_part(body, at, part))
      return false;
    at += delivered;
    if (delivered < wanted.size()) return at == body.size() && (!sha256 || hash.finish() == *sha256);
  }
}

Result<bool> read_back(ObjectStore& store, const ObjectKey& key, ByteView body, const std::optional<Digest>& sha256) {
  auto same = holds(store, key, body, sha256);
  if (same.ok() ? !*same : is_damage(same.error())) same = holds(store, key, body, sha256);
  if (same.ok() || same.error().code != ErrorCode::kDenied) return same;
  // Without bucket-wide list permission, S3 answers 403 for a missing object; `stat` then looks in a list.
  const auto there = store.stat(key);
  if (!there.ok() && there.error().code == ErrorCode::kNotFound) return there.error();
  return same;
}

}  // namespace

Result<void> PutOutcome::result() const {
  if (!error) return {};
  return state == State::kMayAppear ? as_open_question(*error) : *error;
}

PutOutcome settle_put(ObjectStore& store, const ObjectKey& key, ByteView body, Result<void> put,
                      const SettleOptions& options) {
  LookAfterCancel* const after_cancel = options.after_cancel;
  const auto is_cancelled = [](const Result<void>& result) {
    return !result.ok() && result.error().code == ErrorCode::kCancelled;
  };
  const auto is_open = [&](const Result<void>& result) {
    if (result.ok()) return options.read_back_always;
    return is_open_question(result.error()) || (after_cancel != nullptr && is_cancelled(result));
  };
  const auto read = [&] { return read_back(store, key, body, options.sha256); };
  bool put_again = false;
  for (;;) {
    if (!is_open(put)) {
      if (put.ok()) return {};
      return {put_again ? State::kMayAppear : State::kFailed, std::move(put).error()};
    }
    if (is_cancelled(put)) after_cancel->was_cancelled();
    const auto same = after_cancel != nullptr ? (*after_cancel)(read) : read();
    if (same.ok() && *same) return {};
    if (same.ok())
      return {State::kOtherBytes, Error(ErrorCode::kCorrupt, store.name_for_messages() + "/" + key +
                                                                 " holds other bytes than those that were put")};
    if (same.error().code != ErrorCode::kNotFound || put.ok()) return {State::kUnread, same.error()};
    if (put_again || is_cancelled(put)) return {State::kMayAppear, std::move(put).error()};
    put_again = true;
    put = put_object(store, key, body, options.sha256);
  }
}

Result<void> put_settled(ObjectStore& store, const ObjectKey& key, ByteView body, const std::optional<Digest>& sha256) {
  return settle_put(store, key, body, put_object(store, key, body, sha256), {.sha256 = sha256}).result();
}

}  // namespace drs
