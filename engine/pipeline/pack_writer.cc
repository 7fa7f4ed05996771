#include "engine/pipeline/pack_writer.h"

#include <algorithm>
#include <chrono>

#include "codecs/sha256.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "engine/repository/settled_put.h"
#include "io/failpoint.h"
#include "io/helper_thread.h"

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

  // One session only ever writes its own blocks into a pack.
  [[nodiscard]] bool fits(const TableBlock& block, std::size_t sealed_bytes, std::size_t pack_bytes_max) const {
    return blocks_.size() < kPackBlocksMax &&
           used_bytes_ + sealed_bytes + pack_tail_bytes(blocks_.size() + 1, chunks_ + block.chunks.size(), 1) <=
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

  // The pack's bytes, complete with table. Once, after the last block is finished.
  ByteView complete() {
    const Bytes tail = encode_pack_tail(sealer, blocks_);
    DRS_ASSERT(used_bytes_ + tail.size() <= buffer_.bytes().size(), "a pack's table does not fit its buffer");
    std::copy(tail.begin(), tail.end(), buffer_.bytes().begin() + static_cast<std::ptrdiff_t>(used_bytes_));
    used_bytes_ += tail.size();
    return buffer_.bytes().first(used_bytes_);
  }
  std::vector<TableBlock> take_blocks() { return std::move(blocks_); }
  void release() { buffer_.release(); }

  ObjectSealer sealer;
  ObjectOpener opener;
  std::size_t unfinished = 0;  // under the writer's mutex
  bool closed = false;         // likewise

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
  // The store thread's own.
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
      store_(std::move(store)) {}

Result<void> PackWriter::start() {
  // What is thrown leaves puts in flight of which nothing more is known: they stay until the store is gone.
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
  // Under the mutex, so that nobody is between looking at the failure and waiting.
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
      DRS_ASSERT(!open_->empty(), "a block does not fit an empty pack");
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

// Hands a complete pack to the store's thread, which writes while its digest is computed here.
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

// The store's thread waits for us, or for a store that may be far away and busy with packs that came before.
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
  // Pinning clears every page: 50 ms of a push that stores 1 KiB. Whoever has filled one pack will fill others.
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
  // Index objects stay below their bound: what is pending is published before a pack would overflow it.
  if (pending_blocks_ + contents.blocks.size() > kIndexBlocksMax) publish_index(true);
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
  publish_index(false);
}

void PackWriter::publish_index(bool all) {
  if (pending_.empty() || failure_.failed()) return;
  if (!all && pending_bytes_ < options_.index_pending_bytes_max) return;
  const Bytes object = encode_index(repository_.keys(), repository_.crypto(), pending_, repository_.clock().wall_ns());
  PublishedIndex index;
  index.name = index_name(sha256(object));
  index.bytes = object.size();
  if (auto point = failpoint("push.before_index"); !point.ok()) {
    failure_.fail(std::move(point).error());
    return;
  }
  if (auto stored = put_own_object(*store_, index.name, object); !stored.ok()) {
    failure_.fail(std::move(stored).error().with_context("storing " + index.name));
    return;
  }
  // The summary as a reader will see it.
  const auto footer = decode_index_footer(ByteView(object).last(kIndexFooterBytes), object.size());
  DRS_ASSERT(footer.ok(), "the index object just made has no readable footer");
  const auto envelope = decode_envelope(object, ObjectKind::kIndex);
  DRS_ASSERT(envelope.ok(), "the index object just made has no readable envelope");
  const auto opener =
      ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, envelope->salt, repository_.crypto());
  const ByteView sealed = ByteView(object).subspan(object.size() - kIndexFooterBytes - footer->summary_sealed_bytes,
                                                   footer->summary_sealed_bytes);
  Bytes plain(sealed.size() - kSealBytes);
  SealLabel label = summary_label(*footer);
  label.plain_bytes = plain.size();
  auto opened = opener.open(label, sealed, plain);
  DRS_ASSERT(opened.ok(), "the index object just made does not open");
  auto summary = decode_index_summary(plain, object.size());
  DRS_ASSERT(summary.ok(), "the index object just made has no readable summary");
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
    // After a failure nothing new is started. Whoever closes a pack still names it, and only then is it let go; at the
    // end nobody is left who could.
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
    // A put without a name cannot finish, so only look, and come back when it has one.
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
    if (flush_index) failure_.guard([&] { publish_index(true); });

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
  Result<void> result = std::move(stored.operation.result);
  if (!failure_.failed()) {
    if (!result.ok() &&
        (result.error().code == ErrorCode::kUnavailable || result.error().code == ErrorCode::kAlreadyExists))
      result = settle_put(*store_, pack_name(stored.digest), stored.bytes, stored.digest, std::move(result).error());
    if (result.ok()) {
      pack_is_durable(stored);
      return;
    }
    failure_.fail(std::move(result).error().with_context("storing " + pack_name(stored.digest)));
  }
  stored.pack->release();
}

}  // namespace drs
