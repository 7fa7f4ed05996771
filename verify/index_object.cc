#include "verify/index_object.h"

#include <algorithm>
#include <utility>

#include "engine/repository/read_again.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::uint64_t kTailBytes = 16 * kKiB;  // footer and summary of most index objects

}  // namespace

Result<IndexObject> IndexObject::open(Repository& repository, ObjectStore& store, const ObjectInfo& info) {
  return read_again_if_damaged([&] { return read(repository, store, info); });
}

Result<IndexObject> IndexObject::read(Repository& repository, ObjectStore& store, const ObjectInfo& info) {
  if (info.size_bytes < kEnvelopeBytes + kIndexFooterBytes || info.size_bytes > kIndexBytesMax) {
    return Error(ErrorCode::kCorrupt, "an index object cannot have " + std::to_string(info.size_bytes) + " bytes");
  }
  Bytes head(kEnvelopeBytes);
  DRS_RETURN_IF_ERROR(get_range(store, info.key, 0, head));
  DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(head, ObjectKind::kIndex));
  DRS_ASSIGN_OR_RETURN(ObjectOpener opener, ObjectOpener::make(repository.keys(), envelope, "", repository.crypto()));

  Bytes tail(static_cast<std::size_t>(std::min(info.size_bytes, kTailBytes)));
  DRS_RETURN_IF_ERROR(get_range(store, info.key, info.size_bytes - tail.size(), tail));
  DRS_ASSIGN_OR_RETURN(const IndexFooter footer,
                       decode_index_footer(ByteView(tail).last(kIndexFooterBytes), info.size_bytes));
  const std::uint64_t needed_bytes = std::uint64_t{footer.summary_sealed_bytes} + kIndexFooterBytes;
  if (needed_bytes > info.size_bytes - kEnvelopeBytes) {
    return Error(ErrorCode::kCorrupt, "its summary of " + std::to_string(footer.summary_sealed_bytes) +
                                          " bytes does not fit into " + std::to_string(info.size_bytes));
  }
  if (tail.size() < needed_bytes) {
    tail.resize(static_cast<std::size_t>(needed_bytes));
    DRS_RETURN_IF_ERROR(get_range(store, info.key, info.size_bytes - needed_bytes, tail));
  }
  const ByteView sealed =
      ByteView(tail).last(static_cast<std::size_t>(needed_bytes)).first(footer.summary_sealed_bytes);
  DRS_ASSIGN_OR_RETURN(const Bytes plain, opener.open(summary_label(footer), sealed));
  DRS_ASSIGN_OR_RETURN(IndexSummary summary, decode_index_summary(plain, info.size_bytes));
  return IndexObject(info, std::move(opener), std::move(summary));
}

Result<Bytes> IndexObject::read_section(ObjectStore& store, const SealLabel& label, std::uint64_t offset_bytes,
                                        std::uint32_t sealed_bytes) const {
  return read_again_if_damaged([&]() -> Result<Bytes> {
    Bytes sealed(sealed_bytes);
    DRS_RETURN_IF_ERROR(get_range(store, name(), offset_bytes, sealed));
    return opener_.open(label, sealed);
  });
}

Result<std::vector<DirectoryEntry>> IndexObject::read_directory(ObjectStore& store) const {
  DRS_ASSIGN_OR_RETURN(
      const Bytes plain,
      read_section(store, directory_label(summary_), summary_.directory_offset_bytes, summary_.directory_sealed_bytes));
  return decode_index_directory(plain, summary_);
}

Result<std::vector<Hook>> IndexObject::read_hooks(ObjectStore& store) const {
  DRS_ASSIGN_OR_RETURN(const Bytes plain, read_section(store, hooks_label(summary_), summary_.hooks_offset_bytes,
                                                       summary_.hooks_sealed_bytes));
  return decode_index_hooks(plain, summary_);
}

}  // namespace drs
