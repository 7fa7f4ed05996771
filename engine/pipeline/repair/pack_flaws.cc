#include "engine/pipeline/repair/pack_flaws.h"

#include <algorithm>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "engine/format/recipe.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kReadBytes = 1 * kMiB;
constexpr std::size_t kBatchBytesMax = 4 * kMiB;  // sealed blocks that are read at once

// Looks at one pack.
class PackReading {
 public:
  PackReading(Repository& repository, BlockMover& prover, const PackInfo& pack, const CancelToken& cancel)
      : repository_(repository), prover_(prover), pack_(pack), cancel_(cancel) {}

  Result<std::optional<PackFlaws>> run() {
    const auto named = read_again_if_damaged([&] { return check_digest(); });
    if (!named.ok()) DRS_RETURN_IF_ERROR(take(named.error(), ""));
    has_its_name_ = named.ok();
    // Nothing is known of what the medium cannot return.
    if (!named.ok() && named.error().code != ErrorCode::kCorrupt) flaws_.everywhere = true;
    if (!flaws_.everywhere) DRS_RETURN_IF_ERROR(check_blocks());
    if (flaws_.problem.empty()) return std::optional<PackFlaws>();
    return std::optional(std::move(flaws_));
  }

 private:
  // Notes damage, and returns any other error. In a pack that has not its name, a newer version is a flipped bit.
  Result<void> take(const Error& error, const std::string& what) {
    if (!is_lasting_damage(error) && (has_its_name_ || !is_too_new(error))) return error;
    if (flaws_.problem.empty()) flaws_.problem = what + error.message;
    return {};
  }

  [[nodiscard]] Result<void> check_cancelled() const {
    if (cancel_.cancelled())
      return Error(ErrorCode::kCancelled, "the repair was cancelled; run it again: it continues");
    return {};
  }

  Result<void> check_digest() {
    Sha256 hash;
    Bytes buffer(kReadBytes);
    for (std::uint64_t at = 0; at < pack_.bytes; at += kReadBytes) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      const MutableByteView part = MutableByteView(buffer).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, pack_.bytes - at)));
      DRS_RETURN_IF_ERROR(get_range(repository_.store(), pack_name(pack_.name), at, part));
      hash.update(part);
    }
    const Digest digest = hash.finish();
    if (digest == pack_.name) return {};
    return Error(ErrorCode::kCorrupt, "the SHA-256 of its " + std::to_string(pack_.bytes) + " bytes is " +
                                          digest.hex() + ", expected its name");
  }

  Result<void> check_blocks() {
    const auto table = read_again_if_damaged(
        [&] { return read_pack_table(repository_, repository_.store(), pack_.name, pack_.bytes); });
    if (!table.ok()) {
      flaws_.everywhere = true;
      return take(table.error(), "its table cannot be read: ");
    }
    std::vector<const TableBlock*> blocks;
    for (const TableBlock& block : table->blocks) blocks.push_back(&block);
    std::ranges::sort(blocks, {}, [](const TableBlock* block) { return block->record.offset_bytes; });
    std::size_t read_ahead = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      if (i == read_ahead) {
        DRS_ASSIGN_OR_RETURN(read_ahead, read_batch(blocks, i));
      }
      DRS_RETURN_IF_ERROR(check_block(*table, *blocks[i]));
    }
    return {};
  }

  // Returns the place behind the batch.
  Result<std::size_t> read_batch(const std::vector<const TableBlock*>& blocks, std::size_t begin) {
    std::vector<SealedRange> batch;
    std::size_t bytes = 0, end = begin;
    for (; end < blocks.size(); ++end) {
      const BlockRecord& record = blocks[end]->record;
      bytes += record.sealed_bytes;
      if (bytes > kBatchBytesMax && end > begin) break;
      batch.push_back(sealed_range(pack_.name, record));
    }
    DRS_RETURN_IF_ERROR(prover_.read_ahead(batch));
    return end;
  }

  Result<void> check_block(const PackTable& table, const TableBlock& block) {
    auto good = prover_.check({pack_.name, table, block});
    if (good.ok() && block.record.kind == BlockKind::kRecipe) {
      const auto part = decode_recipe_part(prover_.plain());
      if (!part.ok()) good = part.error().with_context("block " + to_string(block.record.id));
    }
    if (good.ok()) return {};
    DRS_RETURN_IF_ERROR(take(good.error(), ""));
    flaws_.blocks.push_back({block.record.offset_bytes, block.record.sealed_bytes});
    return {};
  }

  Repository& repository_;
  BlockMover& prover_;
  const PackInfo& pack_;
  const CancelToken& cancel_;
  bool has_its_name_ = true;
  PackFlaws flaws_;
};

}  // namespace

Result<std::optional<PackFlaws>> find_flaws(Repository& repository, BlockMover& prover, const PackInfo& pack,
                                            const CancelToken& cancel) {
  return PackReading(repository, prover, pack, cancel).run();
}

}  // namespace drs
