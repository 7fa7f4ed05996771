#include "engine/pipeline/push/pack_writer.h"

#include <algorithm>
#include <chrono>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "io/failpoint.h"
#include "io/helper_thread.h"
#include "sinks/settled_put.h"

namespace drs {

class PackWriter::OpenPack {
 public:
  OpenPack(const Repository& repository, PooledBuffer buffer)
      : sealer(repository.keys(), ObjectKind::kPack, "", repository.crypto()),
        opener(
            ObjectOpener::for_salt(repository.keys(), ObjectKind::kPack, sealer.envelope().salt, repository.crypto())),
        buffer_(std::move(buffer)) {
    Bytes envelope;
    encode_envelope(sealer.envelope(), envelope);
    std::copy(envelope.begin(), envelope.end(), buffer_.bytes().begin());
    used_bytes_ = envelope.size();
  }

  // All blocks of a pack belong to one session.
  [[nodiscard]] bool fits(const TableBlock& block, std::size_t sealed_bytes, std::size_t pack_bytes_max) const {
    return blocks_.size() < kPackBlocksMax &&
           used_bytes_ + sealed_bytes +
                   pack_tail_bytes(
                       {.sessions = 1, .blocks = blocks_.size() + 1, .chunks = chunks_ + block.chunks.size()}) <=
               pack_bytes_max;
  }
  MutableByteView take(TableBlock block, std::size_t sealed_bytes, std::uint64_t ordinal) {
    const MutableByteView place = buffer_.bytes().subspan(used_bytes_, sealed_bytes);
    block.record.offset_bytes = static_cast<std::uint32_t>(used_bytes_);
    block.record.sealed_bytes = static_cast<std::uint32_t>(sealed_bytes);
    block.record.ordinal = ordinal;
    used_bytes_ += sealed_bytes;
    chunks_ += block.chunks.size();
    blocks_.push_back(std::move(block));
    ++unfinished;
    return place;
  }
  [[nodiscard]] bool empty() const { return blocks_.empty(); }

  // Appends the table and returns the pack's bytes. To be called once, after the last block is finished.
  ByteView complete() {
    const Bytes tail = encode_pack_tail(sealer, blocks_);
    DRS_ASSERT(used_bytes_ + tail.size() <= buffer_.bytes().size(), "a pack's table does not fit into its buffer");
    std::copy(tail.begin(), tail.end(), buffer_.bytes().begin() + static_cast<std::ptrdiff_t>(used_bytes_));
    used_bytes_ += tail.size();
    return buffer_.bytes().first(used_bytes_);
  }
  std::vector<TableBlock> take_blocks() { return std::move(blocks_); }
  void release() { buffer_.release(); }

  ObjectSealer sealer;
  ObjectOpener opener;
  std::size_t unfinished = 0;  // under the writer's mutex
  bool closed = false;         // under the writer's mutex

 private:
  PooledBuffer buffer_;
  std::size_t used_bytes_ = 0;
  std::size_t chunks_ = 0;
  std::vector<TableBlock> blocks_;
};

struct PackWriter::StoredPack {
  std::shared_ptr<OpenPack> pack;
  ByteView bytes;
  Digest digest;
  PutOperation operation;
  bool has_digest = false;  // under the writer's mutex
  // Used by the store thread only.
  bool started = false;
  bool named = false;
  bool done = false;
};

PackWriter::PackWriter(const Repository& repository, std::unique_ptr<ObjectStore> store, BufferPool& packs,
                       Failure& failure, PushMeter& meter, Options options)
    : repository_(repository),
      buffers_(packs),
      failure_(failure),
      meter_(meter),
      options_(options),
      store_(std::move(store)),
      waking_(failure.on_failure([this] { wake(); })) {}

Result<void> PackWriter::start() {
  // After an exception the state of the puts in flight is unknown: their memory stays until the store is destroyed.
  const auto on_thrown = [this](Error thrown) { failure_.fail(std::move(thrown)); };
  DRS_ASSIGN_OR_RETURN(thread_, start_helper_thread([this] { run_store(); }, on_thrown));
  return {};
}

PackWriter::~PackWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  opened_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PackWriter::wake() {
  // Under the mutex, so that no thread is between its check for a failure and its wait.
  const std::lock_guard lock(mutex_);
  opened_.notify_all();
  drained_.notify_all();
  work_.notify_all();
}

Result<PackWriter::Slot> PackWriter::reserve(TableBlock block, std::size_t sealed_bytes) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_.failed()) return Error(ErrorCode::kCancelled, "the push has failed");
    if (open_) {
      if (open_->fits(block, sealed_bytes, options_.pack_bytes_target)) {
        Slot slot;
        slot.pack = open_;
        slot.ordinal = open_->sealer.next_ordinal();
        slot.sealed = open_->take(std::move(block), sealed_bytes, slot.ordinal);
        slot.sealer = &open_->sealer;
        slot.opener = &open_->opener;
        return slot;
      }
      DRS_ASSERT(!open_->empty(), "a block does not fit into an empty pack");
      const std::shared_ptr<OpenPack> full = std::exchange(open_, nullptr);
      full->closed = true;
      if (full->unfinished == 0) {
        lock.unlock();
        close_pack(full);
        lock.lock();
      }
      continue;
    }
    if (opening_) {
      opened_.wait(lock);
      continue;
    }
    opening_ = true;
    lock.unlock();
    StretchClock clock(meter_);
    PooledBuffer buffer = buffers_.acquire();
    clock.wait(PushWait::kForStore);
    std::shared_ptr<OpenPack> fresh;
    if (buffer) fresh = std::make_shared<OpenPack>(repository_, std::move(buffer));
    lock.lock();
    opening_ = false;
    if (fresh) {
      ++packs_alive_;
      open_ = std::move(fresh);
    }
    opened_.notify_all();
    if (!open_) return Error(ErrorCode::kCancelled, "the push has failed");
  }
}

void PackWriter::finish(Slot slot) {
  bool complete = false;
  {
    const std::lock_guard lock(mutex_);
    complete = --slot.pack->unfinished == 0 && slot.pack->closed;
  }
  if (complete) close_pack(slot.pack);
}

// Hands a complete pack to the store thread, which writes it while this thread computes the digest.
void PackWriter::close_pack(const std::shared_ptr<OpenPack>& pack) {
  auto stored = std::make_unique<StoredPack>();
  stored->pack = pack;
  stored->bytes = pack->complete();
  StoredPack* const named = stored.get();
  {
    const std::lock_guard lock(mutex_);
    to_put_.push_back(std::move(stored));
  }
  wake_store();
  StretchClock clock(meter_);
  const Digest digest = sha256(named->bytes);
  clock.stage(PushStage::kPackDigest, named->bytes.size());
  {
    const std::lock_guard lock(mutex_);
    named->digest = digest;
    named->has_digest = true;
  }
  wake_store();
}

// The store thread may be waiting on work_, or in `run` for earlier packs.
void PackWriter::wake_store() {
  work_.notify_one();
  store_->wake();
}

Result<void> PackWriter::flush() {
  std::unique_lock lock(mutex_);
  DRS_ASSERT(!opening_, "flush while a block is being reserved");
  if (open_) {
    const std::shared_ptr<OpenPack> last = std::exchange(open_, nullptr);
    DRS_ASSERT(last->unfinished == 0, "flush before every block was finished");
    last->closed = true;
    lock.unlock();
    close_pack(last);
    lock.lock();
  }
  flush_index_ = true;
  work_.notify_one();
  StretchClock clock(meter_);
  drained_.wait(lock, [&] { return failure_.failed() || (packs_alive_ == 0 && !flush_index_); });
  lock.unlock();
  clock.wait(PushWait::kForStore);
  return failure_.result();
}

std::vector<PublishedIndex> PackWriter::take_published() {
  const std::lock_guard lock(mutex_);
  return std::exchange(published_, {});
}

PackWriter::Totals PackWriter::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

void PackWriter::start_put(StoredPack& stored) {
  // Registering pins and clears every page: 50 ms of a push that stores 1 KiB. Wait for a pack that is at least half
  // full: more packs will follow it.
  if (!registered_ && stored.bytes.size() >= options_.pack_bytes_target / 2) {
    store_->register_memory(options_.pack_memory);
    registered_ = true;
  }
  stored.started = true;
  stored.operation.body = {stored.bytes};
  stored.operation.owner = &stored;
  stored.operation.done = [](PutOperation& operation) {
    auto& finished = *static_cast<StoredPack*>(operation.owner);
    finished.done = true;
  };
  store_->put(stored.operation);
}

void PackWriter::pack_is_durable(StoredPack& stored) {
  PackContents contents;
  contents.pack.name = stored.digest;
  contents.pack.bytes = stored.bytes.size();
  contents.pack.salt = stored.pack->sealer.envelope().salt;
  contents.blocks = stored.pack->take_blocks();
  stored.pack->release();
  // An index object holds at most kIndexBlocksMax blocks: publish what is pending before this pack would exceed it.
  if (pending_blocks_ + contents.blocks.size() > kIndexBlocksMax) publish_index();
  pending_blocks_ += contents.blocks.size();
  for (const TableBlock& block : contents.blocks)
    pending_bytes_ += sizeof(TableBlock) + block.chunks.size() * sizeof(ChunkEntry);
  {
    meter_.add(PushStage::kStore, contents.pack.bytes, {});
    const std::lock_guard lock(mutex_);
    ++totals_.packs;
    totals_.packs_bytes += contents.pack.bytes;
  }
  pending_.push_back(std::move(contents));
  if (auto point = failpoint("push.pack_durable"); !point.ok()) failure_.fail(std::move(point).error());
  publish_index_if_full();
}

void PackWriter::publish_index_if_full() {
  if (pending_bytes_ >= options_.index_pending_bytes_max) publish_index();
}

void PackWriter::publish_index() {
  if (pending_.empty() || failure_.failed()) return;
  const Bytes object = encode_index(repository_.keys(), repository_.crypto(), pending_, repository_.clock().wall_ns());
  PublishedIndex index;
  index.name = index_name(sha256(object));
  index.bytes = object.size();
  if (auto point = failpoint("push.before_index"); !point.ok()) {
    failure_.fail(std::move(point).error());
    return;
  }
  if (auto stored = put_settled(*store_, index.name, object); !stored.ok()) {
    failure_.fail(std::move(stored).error().with_context("storing " + index.name));
    return;
  }
  // Decode the summary as a reader would.
  const auto footer = decode_index_footer(ByteView(object).last(kIndexFooterBytes), object.size());
  DRS_ASSERT(footer.ok(), "the footer of a new index object does not decode");
  const auto envelope = decode_envelope(object, ObjectKind::kIndex);
  DRS_ASSERT(envelope.ok(), "the envelope of a new index object does not decode");
  const auto opener =
      ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, envelope->salt, repository_.crypto());
  const ByteView sealed = ByteView(object).subspan(object.size() - kIndexFooterBytes - footer->summary_sealed_bytes,
                                                   footer->summary_sealed_bytes);
  Bytes plain(sealed.size() - kSealBytes);
  SealLabel label = summary_label(*footer);
  label.plain_bytes = plain.size();
  auto opened = opener.open(label, sealed, plain);
  DRS_ASSERT(opened.ok(), "the summary of a new index object does not open");
  auto summary = decode_index_summary(plain, object.size());
  DRS_ASSERT(summary.ok(), "the summary of a new index object does not decode");
  index.summary = *std::move(summary);
  index.salt = envelope->salt;
  for (const PackContents& contents : pending_)
    for (const TableBlock& block : contents.blocks) index.blocks.push_back(block.record.id);
  pending_.clear();
  pending_blocks_ = 0;
  pending_bytes_ = 0;
  const std::lock_guard lock(mutex_);
  published_.push_back(std::move(index));
}

void PackWriter::run_store() {
  StretchClock clock(meter_);
  std::unique_lock lock(mutex_);
  for (;;) {
    clock.stage(PushStage::kStore, 0);
    const bool flush_index = flush_index_ && packs_alive_ == 0;
    if (to_put_.empty() && in_store_.empty() && !flush_index) {
      if (stop_) return;
      work_.wait(lock);
      continue;
    }
    // After a failure no put is started. The worker that closed a pack still computes its digest, and the pack is
    // released only after that; at the end (`stop_`) no worker is left, so packs without a digest are released too.
    const bool give_up = failure_.failed();
    const bool at_end = stop_;
    in_store_.splice(in_store_.end(), to_put_);
    std::vector<StoredPack*> to_name;
    for (const auto& stored : in_store_)
      if (!stored->named && (stored->has_digest || at_end)) to_name.push_back(stored.get());
    lock.unlock();

    for (const auto& stored : in_store_)
      if (!stored->started && !stored->named && !give_up) start_put(*stored);
    for (StoredPack* stored : to_name) {
      stored->named = true;
      stored->operation.sha256 = stored->digest;
      if (!stored->started)
        stored->done = true;
      else if (give_up || !stored->has_digest)
        store_->drop(stored->operation);
      else
        store_->name(stored->operation, pack_name(stored->digest));
    }
    // A put without a name cannot finish: poll without waiting until all puts are named.
    const bool all_named =
        std::all_of(in_store_.begin(), in_store_.end(), [](const auto& stored) { return stored->named; });
    auto ran = store_->run(all_named && store_->in_flight() > 0);
    if (!ran.ok()) {
      failure_.fail(std::move(ran).error());
      for (auto& stored : in_store_) stored->done = stored->named;
    }
    for (auto& stored : in_store_)
      if (stored->done) failure_.guard([&] { pack_left_store(*stored); });
    const std::size_t finished_count = in_store_.remove_if([](const auto& stored) { return stored->done; });
    if (flush_index) failure_.guard([&] { publish_index(); });

    lock.lock();
    packs_alive_ -= finished_count;
    if (flush_index) flush_index_ = false;
    if (finished_count > 0 || flush_index) drained_.notify_all();
    const bool may_name = std::any_of(in_store_.begin(), in_store_.end(),
                                      [](const auto& stored) { return stored->has_digest && !stored->named; });
    if (!all_named && to_put_.empty() && !may_name)
      work_.wait_for(lock, std::chrono::milliseconds(1));  // the digest is being computed
  }
}

void PackWriter::pack_left_store(StoredPack& stored) {
  if (!failure_.failed()) {
    const std::string name = pack_name(stored.digest);
    const PutOutcome put =
        settle_put(*store_, name, stored.bytes, std::move(stored.operation.result), {.sha256 = stored.digest});
    if (put.stored()) {
      pack_is_durable(stored);
      return;
    }
    failure_.fail(put.result().error().with_context("storing " + name));
  }
  stored.pack->release();
}

}  // namespace drs
