// Fills a repository with an index of many chunks that exist nowhere:  big_index DIRECTORY CHUNKS
//
// The packs that the index names are files of holes with the right sizes, so that a push takes them for real and loads
// all their chunks. For tests of memory. The key comes from BACKUP_ENCRYPTION_KEY.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "codecs/random.h"
#include "codecs/sha256.h"
#include "engine/format/index.h"
#include "engine/format/names.h"
#include "engine/repository/repository.h"
#include "io/base/clock.h"
#include "io/file_system.h"
#include "sinks/local/local_store.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kBlocksPerPack = 128;
constexpr std::size_t kPacksPerIndex = kIndexBlocksMax / kBlocksPerPack;
constexpr std::size_t kChunksPerBlock = 64;
constexpr std::uint16_t kChunkBytes = kBlockBytesMax / kChunksPerBlock;
constexpr std::uint32_t kSealedBytes = 4096 + kSealBytes;

// A pack of blocks with random chunk ids; its name is random, too, since its bytes never existed.
PackContents make_pack(const Uuid& session, std::uint64_t& counter) {
  PackContents pack;
  random_bytes(pack.pack.name.mutable_view());
  random_bytes(pack.pack.salt.mutable_view());
  std::uint32_t offset_bytes = kEnvelopeBytes;
  for (std::size_t i = 0; i < kBlocksPerPack; ++i) {
    TableBlock block;
    block.record.id = {session, counter++};
    block.record.codec = Codec::kZstd;
    block.record.offset_bytes = offset_bytes;
    block.record.sealed_bytes = kSealedBytes;
    block.record.raw_bytes = kChunksPerBlock * kChunkBytes;
    block.record.ordinal = i;
    block.record.chunk_count = kChunksPerBlock;
    block.chunks.resize(kChunksPerBlock);
    for (ChunkEntry& chunk : block.chunks) {
      random_bytes(chunk.id.mutable_view());
      chunk.bytes = kChunkBytes;
    }
    offset_bytes += kSealedBytes;
    pack.blocks.push_back(std::move(block));
  }
  pack.pack.bytes =
      offset_bytes +
      pack_tail_bytes({.sessions = 1, .blocks = kBlocksPerPack, .chunks = kBlocksPerPack * kChunksPerBlock});
  return pack;
}

void make_hole(const std::filesystem::path& path, std::uint64_t bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).close();
  std::filesystem::resize_file(path, bytes);
}

Result<std::uint64_t> fill(const std::string& directory, std::uint64_t chunks_wanted, const std::string& key_hex) {
  const SystemClock clock;
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  if (!from_hex(key_hex, secret.bytes.mutable_view()))
    return Error(ErrorCode::kUsage, "BACKUP_ENCRYPTION_KEY is not 64 hex digits");
  DRS_ASSIGN_OR_RETURN(auto files, open_file_system(directory, IoChoice::kPosix));
  DRS_ASSIGN_OR_RETURN(auto store, open_local_store(std::move(files), {}));
  DRS_ASSIGN_OR_RETURN(const auto repository, Repository::open(std::move(store), clock, secret, best_crypto_backend()));
  Uuid session;
  random_bytes(session.mutable_view());
  std::uint64_t counter = 0;
  while (counter * kChunksPerBlock < chunks_wanted) {
    std::vector<PackContents> packs;
    for (std::size_t i = 0; i < kPacksPerIndex && counter * kChunksPerBlock < chunks_wanted; ++i) {
      packs.push_back(make_pack(session, counter));
      make_hole(std::filesystem::path(directory) / pack_name(packs.back().pack.name), packs.back().pack.bytes);
    }
    const Bytes object = encode_index(repository->keys(), repository->crypto(), packs, clock.wall_ns());
    DRS_RETURN_IF_ERROR(put_object(repository->store(), index_name(sha256(object)), object));
  }
  return counter * kChunksPerBlock;
}

int run(int argc, char** argv) {
  const char* const key = std::getenv("BACKUP_ENCRYPTION_KEY");
  const std::uint64_t chunks = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (chunks == 0 || key == nullptr) {
    std::fprintf(stderr, "usage: BACKUP_ENCRYPTION_KEY=HEX big_index DIRECTORY CHUNKS\n");
    return 2;
  }
  const auto made = fill(argv[1], chunks, key);
  if (!made.ok()) {
    std::fprintf(stderr, "big_index: %s\n", made.error().message.c_str());
    return 1;
  }
  std::printf("%llu chunks\n", static_cast<unsigned long long>(*made));
  return 0;
}

}  // namespace
}  // namespace drs

int main(int argc, char** argv) {
  return drs::run(argc, argv);
}
