#include "engine/pipeline/repair/other_repository.h"

#include <algorithm>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "engine/pipeline/copy/copy.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

bool is_same(const ManifestStream& a, const ManifestStream& b, bool same_name) {
  if (a.bytes != b.bytes || a.label != b.label) return false;
  if (a.sha256 && b.sha256) return a.sha256 == b.sha256;
  return same_name && a.xxh3 == b.xxh3;
}

}  // namespace

Result<std::unique_ptr<OtherRepository>> OtherRepository::open(Repository& repository, const Repository& damaged,
                                                               std::size_t index_cache_bytes) {
  const Kind kind = drs::is_replica(repository, damaged) ? Kind::kReplica : Kind::kSameStreams;
  if (kind != Kind::kReplica && repository.config().repository == damaged.config().repository)
    return Error(ErrorCode::kUsage,
                 "the two repositories have the same id, but different master keys: one of them is forged");
  std::unique_ptr<OtherRepository> other(new OtherRepository(repository, kind));
  DRS_ASSIGN_OR_RETURN(other->snapshots_, load_snapshots(repository));
  DRS_ASSIGN_OR_RETURN(other->copies_, BlockCopies::load(repository, index_cache_bytes));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, repository.store()));
  other->reader_.emplace(std::move(reader));
  other->ranges_.emplace(other->copies_->index(), *other->reader_);
  return other;
}

Result<std::optional<Bytes>> OtherRepository::pack(const Digest& name, std::uint64_t bytes) {
  if (!is_replica() || bytes > kPackBytesMax) return std::optional<Bytes>();
  const auto whole = read_again_if_damaged([&]() -> Result<Bytes> {
    Bytes read(static_cast<std::size_t>(bytes));
    DRS_RETURN_IF_ERROR(get_range(repository_.store(), pack_name(name), 0, read));
    if (sha256(read) != name) return Error(ErrorCode::kCorrupt, pack_name(name) + " is damaged");
    return read;
  });
  if (whole.ok()) return std::optional(*whole);
  if (!is_object_fault(whole.error())) return whole.error();
  return std::optional<Bytes>();
}

Result<std::vector<OpenedCopy>> OtherRepository::copies_of(const BlockId& id) {
  std::vector<OpenedCopy> opened;
  if (!is_replica()) return opened;
  DRS_ASSIGN_OR_RETURN(const std::vector<BlockLocation> found, copies_->find(id));
  for (const BlockLocation& at : found) {
    auto copy = copies_->open(at);
    if (copy.ok())
      opened.push_back(*std::move(copy));
    else if (!is_object_fault(copy.error()))
      return copy.error();
  }
  return opened;
}

Result<std::optional<RecipePart>> OtherRepository::recipe_part(const RecipePartRef& ref) {
  if (!is_replica()) return std::optional<RecipePart>();
  return copies_->read_recipe_part(*reader_, ref);
}

Result<std::optional<TableBlock>> OtherRepository::entry_of(const BlockId& id) {
  if (!is_replica()) return std::optional<TableBlock>();
  return copies_->entry_of(id);
}

Result<OtherRepository::Streams> OtherRepository::streams_like(const std::string& stream_name,
                                                               const ManifestStream& stream) {
  Streams like;
  for (const Snapshot& snapshot : snapshots_.live) {
    const ManifestHeader& header = snapshot.manifest;
    const bool same_name = header.stream == stream_name;
    // The header of a snapshot of one stream has its digests.
    const bool is_one = header.content == ManifestContent::kBytes;
    const bool has_sha256 = header.sha256 && stream.sha256;
    if (is_one && (header.bytes != stream.bytes || (has_sha256 ? header.sha256 != stream.sha256 : !same_name)))
      continue;
    const auto manifest = read_manifest(repository_, repository_.store(), snapshot);
    if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
    if (!manifest.ok()) continue;
    for (const ManifestStream& other : manifest->streams)
      if (is_same(other, stream, same_name)) like.push_back(other);
  }
  return like;
}

Result<std::optional<Bytes>> OtherRepository::read(const std::string& stream_name, const ManifestStream& stream,
                                                   std::uint64_t offset_bytes, std::uint64_t bytes) {
  if (!wanted_ || wanted_->first != stream_name || wanted_->second != stream) {
    wanted_.reset();
    DRS_ASSIGN_OR_RETURN(like_, streams_like(stream_name, stream));
    wanted_.emplace(stream_name, stream);
  }
  for (const ManifestStream& other : like_) {
    auto read = ranges_->read(other, offset_bytes, bytes);
    if (read.ok()) return std::optional(*std::move(read));
    if (!is_object_fault(read.error())) return read.error();
  }
  return std::optional<Bytes>();
}

}  // namespace drs
