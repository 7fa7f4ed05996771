#include "engine/pipeline/copy/topic_copy.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "engine/pipeline/pull/range_restore.h"
#include "engine/pipeline/push/block_filler.h"
#include "engine/pipeline/push/block_writer.h"
#include "engine/pipeline/push/snapshot_commit.h"
#include "engine/repository/lost_ranges.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// Fills blocks with what a restore writes. A piece of one block of the source stays within one block.
class FillingSink final : public Sink {
 public:
  explicit FillingSink(BlockFiller& filler) : filler_(filler) {}
  Result<void> write(ByteView bytes) override {
    auto written = write_piece(bytes);
    if (!written.ok()) failed_ = true;
    return written;
  }
  Result<void> commit() override { return {}; }
  void abandon() override {}
  void cancel() override {}
  [[nodiscard]] std::string name() const override { return "copy"; }
  // Whether the target failed, and not the source.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Result<void> write_piece(ByteView bytes) {
    if (bytes.size() > kWholeBlockBytesMax) return filler_.write(bytes);
    DRS_ASSIGN_OR_RETURN(const MutableByteView out, filler_.take(bytes.size()));
    std::ranges::copy(bytes, out.begin());
    return {};
  }
  BlockFiller& filler_;
  bool failed_ = false;
};

// What the target has already. Stays where it is: the index refers to the packs.
struct Target {
  explicit Target(SnapshotCommit::Beginning beginning) : begun(std::move(beginning)) {}
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  SnapshotCommit::Beginning begun;
  std::unique_ptr<ObjectStore> store;
  std::unique_ptr<BlockIndex> index;
  std::vector<ManifestStream> streams;  // of its latest archive of this name, all of whose blocks are good
};

Result<std::unique_ptr<Target>> look_at(Repository& repository, const std::string& stream, std::size_t cache_bytes,
                                        std::vector<std::string>& warnings) {
  DRS_ASSIGN_OR_RETURN(
      SnapshotCommit::Beginning begun,
      SnapshotCommit::begin(repository, {.name = stream, .content = ManifestContent::kTopics}, warnings));
  auto target = std::make_unique<Target>(std::move(begun));
  const Snapshot* const last = target->begun.snapshot.predecessor();
  if (last == nullptr) return target;
  auto manifest = read_manifest(repository, repository.store(), *last);
  if (!manifest.ok() && is_object_fault(manifest.error())) return target;
  if (!manifest.ok()) return std::move(manifest).error();
  const PackCatalog& packs = target->begun.packs;
  DRS_ASSIGN_OR_RETURN(target->store, repository.store().clone());
  DRS_ASSIGN_OR_RETURN(target->index, BlockIndex::load(repository, *target->store, packs, {cache_bytes},
                                                       std::move(target->begun.index)));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, *target->store));
  StreamRange range(*target->index, reader);
  for (ManifestStream& each : manifest->streams) {
    DRS_ASSIGN_OR_RETURN(const auto lost, lost_ranges(each, *target->index, packs, range));
    if (lost.empty()) target->streams.push_back(std::move(each));
  }
  return target;
}

const ManifestStream* same_stream(const std::vector<ManifestStream>& streams, const ManifestStream& wanted) {
  const auto found = std::ranges::find_if(streams, [&](const ManifestStream& stream) {
    return stream.label == wanted.label && stream.bytes == wanted.bytes && stream.xxh3 == wanted.xxh3;
  });
  return found == streams.end() ? nullptr : &*found;
}

// The new manifest, without its streams.
Manifest manifest_for(const ManifestHeader& original, const CopyOptions& options) {
  Manifest manifest;
  manifest.stream = original.stream;
  manifest.host = original.host;
  manifest.tool_version = options.tool_version;
  manifest.producer = original.producer;
  manifest.content = original.content;
  manifest.tags = original.tags;
  return manifest;
}

}  // namespace

Result<TopicCopyReport> copy_topics(const TopicCopyInput& in, const RunControl& control, bool& source_fault) {
  Repository& target = in.target;
  const CopyMemory& memory = in.memory;
  TopicCopyReport report;
  source_fault = false;
  const auto of_source = [&](Error error) {
    source_fault = true;
    return error;
  };
  auto original = read_manifest(in.source, in.source.store(), in.snapshot);
  if (!original.ok()) return of_source(std::move(original).error());
  DRS_ASSIGN_OR_RETURN(
      const std::unique_ptr<WriteSession> session,
      WriteSession::begin(target, target.store(), {.stream = original->stream, .host = original->host}, {}));
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<Target> there,
                       look_at(target, original->stream, memory.push.index_cache_bytes, report.warnings));
  DRS_ASSIGN_OR_RETURN(BufferArena pull_arena, BufferArena::map(memory.pull.arena_bytes));
  DRS_ASSIGN_OR_RETURN(BufferArena push_arena, BufferArena::map(memory.push.arena_bytes));
  DRS_ASSIGN_OR_RETURN(
      const std::unique_ptr<BlockWriter> blocks,
      BlockWriter::open(target, *session, {memory.push, push_arena}, control, {.compression = in.options.compression}));
  auto restore = RangeRestore::open(in.source, {memory.pull, pull_arena}, control, {});
  if (!restore.ok()) return of_source(std::move(restore).error());
  Manifest manifest = manifest_for(*original, in.options);
  std::vector<ObjectKey> relies_on;
  for (const ManifestStream& stream : original->streams) {
    manifest.bytes += stream.bytes;
    if (const ManifestStream* const same = same_stream(there->streams, stream)) {
      const std::vector<ObjectKey> objects = objects_of_session(same->session, *there->index, there->begun.packs);
      relies_on.insert(relies_on.end(), objects.begin(), objects.end());
      manifest.streams.push_back(*same);
      control.progress.bytes += stream.bytes;
    } else {
      BlockFiller filler(*blocks);
      FillingSink sink(filler);
      auto pulled = (*restore)->run(stream, {0, stream.bytes}, sink);
      if (!pulled.ok()) return sink.failed() ? std::move(pulled).error() : of_source(std::move(pulled).error());
      DRS_RETURN_IF_ERROR(filler.flush());
      report.read_bytes += pulled->read_bytes;
      report.healed_blocks += pulled->healed_blocks;
      manifest.new_bytes += stream.bytes;
      DRS_ASSIGN_OR_RETURN(ManifestStream copied, blocks->end_stream(stream.label));
      if (copied.bytes != stream.bytes || copied.xxh3 != stream.xxh3)
        return Error(ErrorCode::kInternal, "stream " + stream.label +
                                               " differs after the copy: this machine's memory or processor is "
                                               "faulty, or drstream has a bug");
      manifest.streams.push_back(std::move(copied));
    }
    manifest.chunk_count += manifest.streams.back().chunk_count;
  }
  DRS_RETURN_IF_ERROR(blocks->finish());
  const BlockWriter::Totals totals = blocks->totals();
  manifest.stored_bytes = totals.stored_bytes;
  report.packs = totals.packs.packs;
  report.packs_bytes = totals.packs.packs_bytes;
  if (!target.store().secures()) relies_on.clear();
  DRS_ASSIGN_OR_RETURN(auto committed, there->begun.snapshot.commit(*session, manifest, original->snapshot_ns,
                                                                    std::move(relies_on), report.warnings));
  report.made.name = std::move(committed.first);
  report.made.digest = committed.second;
  report.made.manifest = std::move(manifest);
  return report;
}

}  // namespace drs
