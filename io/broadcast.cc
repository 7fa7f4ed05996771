#include "io/broadcast.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "io/helper_thread.h"

namespace drs {

class Broadcast::Branch final : public Source {
 public:
  explicit Branch(Broadcast& broadcast)
      : broadcast_(broadcast),
        name_(broadcast.source_.name()),
        size_hint_bytes_(broadcast.source_.size_hint_bytes()),
        io_description_(broadcast.source_.io_description() + ", shared") {}

  void start(MutableByteView buffer) override {
    DRS_ASSERT(buffer_.empty(), "a branch fills one buffer at a time");
    buffer_ = buffer;
  }
  Result<std::size_t> finish() override { return broadcast_.read(*this, std::exchange(buffer_, {})); }
  [[nodiscard]] std::size_t read_ahead_max() const override { return 1; }
  Result<ProducerProof> conclude() override { return broadcast_.wait_outcome(*this); }
  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return size_hint_bytes_; }
  void cancel() override { broadcast_.drop(*this); }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string io_description() const override { return io_description_; }

 private:
  friend class Broadcast;
  [[nodiscard]] Error cancelled_error() const { return {ErrorCode::kCancelled, "reading " + name_ + " was cancelled"}; }

  Broadcast& broadcast_;
  const std::string name_;
  const std::optional<std::uint64_t> size_hint_bytes_;
  const std::string io_description_;
  MutableByteView buffer_;
  // Below: guarded by the broadcast's mutex.
  std::uint64_t taken_bytes_ = 0;
  bool copying_ = false;  // copies from the slot at taken_bytes_ without holding the mutex
  bool cancelled_ = false;
};

Broadcast::Broadcast(Source& source, const BroadcastOptions& options)
    : source_(source),
      ring_(options.ring),
      slot_bytes_(options.slot_bytes),
      slots_(options.ring.size() / options.slot_bytes),
      branches_in_(options.branches) {
  DRS_ASSERT(options.branches > 0, "a broadcast without branches");
  DRS_ASSERT(slots_ > source.read_ahead_max(), "the ring is too small for the source's read-ahead");
  for (std::size_t i = 0; i < options.branches; ++i) branches_.push_back(std::make_unique<Branch>(*this));
}

Result<std::unique_ptr<Broadcast>> Broadcast::start(Source& source, const BroadcastOptions& options) {
  std::unique_ptr<Broadcast> broadcast(new Broadcast(source, options));
  DRS_ASSIGN_OR_RETURN(
      broadcast->thread_,
      start_helper_thread([raw = broadcast.get()] { raw->conclude(raw->read_all()); },
                          [raw = broadcast.get()](Error thrown) { raw->conclude(std::move(thrown)); }));
  return broadcast;
}

Broadcast::~Broadcast() {
  if (!thread_.joinable()) return;
  for (const auto& branch : branches_) drop(*branch);
  thread_.join();
}

Source& Broadcast::branch(std::size_t index) {
  return *branches_[index];
}

void Broadcast::conclude(Result<ProducerProof> outcome) {
  const std::lock_guard lock(mutex_);
  outcome_.emplace(std::move(outcome));
  changed_.notify_all();
}

Result<ProducerProof> Broadcast::read_all() {
  std::uint64_t started = 0;   // slots
  std::uint64_t finished = 0;  // slots
  for (bool ended = false; !ended; ++finished) {
    if (started == finished && !wait_for_slot(started))
      return Error(ErrorCode::kCancelled, "reading " + source_.name() + " was cancelled");
    const auto may_start = [&] {
      if (started - finished >= source_.read_ahead_max()) return false;
      const std::lock_guard lock(mutex_);
      return slot_is_free(started);
    };
    for (; may_start(); ++started) source_.start(slot_bytes(started));
    DRS_ASSIGN_OR_RETURN(const std::size_t count, source_.finish());
    ended = count < slot_bytes_;
    const std::lock_guard lock(mutex_);
    read_bytes_ += count;
    ended_ = ended;
    changed_.notify_all();
  }
  // Reads started past the end return no bytes, but the source owns their buffers until they finish.
  for (; finished < started; ++finished) {
    DRS_ASSIGN_OR_RETURN(const std::size_t count, source_.finish());
    if (count != 0) return Error(ErrorCode::kSource, source_.name() + " returned more bytes after its end");
  }
  return source_.conclude();
}

// Returns false once every branch is cancelled.
bool Broadcast::wait_for_slot(std::uint64_t slot) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return branches_in_ == 0 || slot_is_free(slot); });
  return branches_in_ > 0;
}

bool Broadcast::slot_is_free(std::uint64_t slot) const {
  if (slot < slots_) return true;
  const std::uint64_t end_bytes_before = (slot - slots_ + 1) * slot_bytes_;
  return std::all_of(branches_.begin(), branches_.end(), [&](const std::unique_ptr<Branch>& branch) {
    return (branch->cancelled_ && !branch->copying_) || branch->taken_bytes_ >= end_bytes_before;
  });
}

MutableByteView Broadcast::slot_bytes(std::uint64_t slot) const {
  return ring_.subspan(static_cast<std::size_t>(slot % slots_) * slot_bytes_, slot_bytes_);
}

void Broadcast::drop(Branch& branch) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(branch.cancelled_, true)) return;
    changed_.notify_all();
    if (--branches_in_ > 0 || outcome_) return;
  }
  source_.cancel();
}

Result<std::size_t> Broadcast::read(Branch& branch, MutableByteView buffer) {
  std::size_t filled_bytes = 0;
  std::unique_lock lock(mutex_);
  while (filled_bytes < buffer.size()) {
    changed_.wait(lock, [&] {
      return branch.cancelled_ || (outcome_ && !outcome_->ok()) || ended_ || branch.taken_bytes_ < read_bytes_;
    });
    if (branch.cancelled_) return branch.cancelled_error();
    if (outcome_ && !outcome_->ok()) return outcome_->error();
    if (branch.taken_bytes_ == read_bytes_) break;
    const auto skipped_bytes = static_cast<std::size_t>(branch.taken_bytes_ % slot_bytes_);
    const MutableByteView rest = slot_bytes(branch.taken_bytes_ / slot_bytes_).subspan(skipped_bytes);
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>({rest.size(), buffer.size() - filled_bytes, read_bytes_ - branch.taken_bytes_}));
    branch.copying_ = true;
    lock.unlock();
    std::memcpy(buffer.data() + filled_bytes, rest.data(), count);
    lock.lock();
    branch.copying_ = false;
    branch.taken_bytes_ += count;
    filled_bytes += count;
    // Other branches do not depend on this one. The reading thread does, once this branch has left the slot.
    if (count == rest.size() || branch.cancelled_) changed_.notify_all();
  }
  return filled_bytes;
}

Result<ProducerProof> Broadcast::wait_outcome(const Branch& branch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return branch.cancelled_ || outcome_.has_value(); });
  if (branch.cancelled_) return branch.cancelled_error();
  return *outcome_;
}

}  // namespace drs
