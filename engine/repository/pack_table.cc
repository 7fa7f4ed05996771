#include "engine/repository/pack_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::uint64_t kTailBytes = 64 * kKiB;  // footer and table of most packs

Result<PackTable> read_once(Repository& repository, ObjectStore& store, const Digest& pack, std::uint64_t pack_bytes) {
  const std::string name = pack_name(pack);
  if (pack_bytes < kEnvelopeBytes + kPackFooterBytes || pack_bytes > kPackBytesMax) {
    return Error(ErrorCode::kCorrupt, "a pack cannot have " + std::to_string(pack_bytes) + " bytes");
  }
  Bytes head(kEnvelopeBytes);
  DRS_RETURN_IF_ERROR(get_range(store, name, 0, head));
  DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(head, ObjectKind::kPack));
  DRS_ASSIGN_OR_RETURN(ObjectOpener opener, ObjectOpener::make(repository.keys(), envelope, "", repository.crypto()));

  Bytes tail(static_cast<std::size_t>(std::min(pack_bytes, kTailBytes)));
  DRS_RETURN_IF_ERROR(get_range(store, name, pack_bytes - tail.size(), tail));
  DRS_ASSIGN_OR_RETURN(const PackFooter footer, decode_pack_footer(tail, pack_bytes, repository.config().chunks));
  const std::size_t needed_bytes = footer.table_sealed_bytes + kPackFooterBytes;
  if (tail.size() < needed_bytes) {
    tail.resize(needed_bytes);
    DRS_RETURN_IF_ERROR(get_range(store, name, pack_bytes - needed_bytes, tail));
  }
  DRS_ASSIGN_OR_RETURN(std::vector<TableBlock> blocks, open_pack_table(repository.keys(), repository.crypto(), head,
                                                                       tail, pack_bytes, repository.config().chunks));
  return PackTable{std::move(opener), envelope.salt, std::move(blocks)};
}

}  // namespace

Result<PackTable> read_pack_table(Repository& repository, ObjectStore& store, const Digest& pack,
                                  std::uint64_t pack_bytes) {
  return read_again_if_damaged([&] { return read_once(repository, store, pack, pack_bytes); });
}

}  // namespace drs
