// Reads packs in full: compares the bytes with the name, opens, decompresses and hashes every block, and compares every
// chunk with its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codecs/chunk_hasher.h"
#include "codecs/compression.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/pack_table.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"

namespace drs {

enum class PackOutcome : std::uint8_t {
  kIntact,
  kDamaged,  // in the store: two reads found it
  kUnread,   // it could not be read, or a newer drstream is needed
  kGone,     // there is no such object
};

// One for each worker. Threads: one thread.
class PackCheck {
 public:
  struct Counts {
    std::uint64_t packs = 0, bytes = 0;  // packs that were read to their end
    std::uint64_t blocks = 0, chunks = 0, decoded_bytes = 0;
    std::uint64_t unsteady = 0;  // packs that were read wrongly and then rightly
  };

  // All arguments must outlive the check.
  static Result<PackCheck> make(CheckContext& context, ObjectStore& store, const CheckBuffers::Worker& buffers);

  // Reads one pack. Records damage as a finding, in the damage map and with a mark. Removes the marks of an intact
  // pack. A missing pack was deleted since it was listed, for example by a prune: the check of the recipes reports it
  // if a snapshot needs it. A pack that seems damaged is read again over another connection; if that read is right, the
  // fault lies between the store and this process, which is a warning. Errors: those that do not concern this pack
  // (kUnavailable, kCancelled, ...).
  Result<PackOutcome> check(const PackInfo& pack);
  // The same, but only compares the SHA-256 with the name, unless it is wrong. Removes no marks.
  Result<PackOutcome> check_digest(const PackInfo& pack);
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const std::vector<Digest>& gone() const { return gone_; }
  // Packs that were read to their end, but whose tables are damaged (tableless_packs.h).
  [[nodiscard]] const std::vector<Digest>& tableless() const { return tableless_; }

 private:
  PackCheck(CheckContext& context, ObjectStore& store, const CheckBuffers::Worker& buffers, Decompressor decompressor)
      : context_(context),
        store_(store),
        buffers_(buffers),
        decompressor_(std::move(decompressor)),
        hasher_(context.repository.keys().chunk_id(), context.repository.crypto()) {}

  // The result of reading a pack.
  struct Verdict {
    std::string problem;   // empty: the pack is intact
    bool gone = false;     // there is no such object
    bool lasting = false;  // is_lasting_damage
    bool too_new = false;
    bool all_blocks = false;
    bool tableless = false;
    std::optional<Digest> digest;  // of all its bytes
    std::vector<DamagedBlock> damaged_blocks;
    void add(const std::string& text) { problem += (problem.empty() ? "" : "; ") + text; }
  };
  Result<Verdict> read(ObjectStore& store, const PackInfo& pack, const std::string& name);
  Result<Verdict> read_again(const PackInfo& pack, const std::string& name, const Verdict& first);
  void report_unsteady(const std::string& name, const std::string& first_problem);
  Result<void> check_block(const PackTable& table, const TableBlock& block, ByteView sealed);
  Result<void> check_chunks(const TableBlock& block, ByteView plain);

  CheckContext& context_;
  ObjectStore& store_;
  const CheckBuffers::Worker& buffers_;
  Decompressor decompressor_;
  ChunkHasher hasher_;
  Counts counts_;
  std::vector<Digest> gone_, tableless_;
  std::vector<ByteView> messages_;
  std::vector<Digest> ids_;
};

}  // namespace drs
