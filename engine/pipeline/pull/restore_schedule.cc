#include "engine/pipeline/pull/restore_schedule.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace drs {

RestoreSchedule::RestoreSchedule(MutableByteView slots, std::size_t slot_count, Followers followers)
    : slots_(slots), runs_(kRunsAheadMax), slot_states_(slot_count) {
  DRS_ASSERT(slots.size() >= slot_count * kBlockBytesMax, "the memory is too small for the slots");
  if (followers == Followers::kEmitter) passed_[1] = std::numeric_limits<std::uint64_t>::max();
}

MutableByteView RestoreSchedule::slot(std::uint32_t number) const {
  return slots_.subspan(number * kBlockBytesMax, kBlockBytesMax);
}

void RestoreSchedule::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  fetcher_.notify_all();
  workers_.notify_all();
  followers_.notify_all();
}

bool RestoreSchedule::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool RestoreSchedule::has_room() const {
  const std::lock_guard lock(mutex_);
  return planned_ - released() < kRunsAheadMax && jobs_.size() < kJobsAheadMax;
}

RestoreJob& RestoreSchedule::add_job(RestoreJob job) {
  const std::lock_guard lock(mutex_);
  if (job.buffer != nullptr) ++job.buffer->users;
  return jobs_.emplace_back(std::move(job));
}

void RestoreSchedule::add_run(const PlannedRun& run) {
  const std::lock_guard lock(mutex_);
  runs_[planned_ % kRunsAheadMax] = run;
  if (is_ready(planned_++)) followers_.notify_all();
}

void RestoreSchedule::add_gap(const PlannedRun& run, const Loss& loss) {
  DRS_ASSERT(run.fetch == 0, "a gap that a block fills");
  {
    const std::lock_guard lock(mutex_);
    gaps_.emplace(planned_, loss);
  }
  add_run(run);
}

void RestoreSchedule::end_plan() {
  const std::lock_guard lock(mutex_);
  plan_ended_ = true;
  workers_.notify_all();
  followers_.notify_all();
}

void RestoreSchedule::set_filled(RestoreJob& job, ByteView sealed) {
  const std::lock_guard lock(mutex_);
  job.sealed = sealed;
  job.state = RestoreJob::State::kFilled;
  workers_.notify_one();
}

void RestoreSchedule::set_failed(RestoreJob& job, Error error) {
  const std::lock_guard lock(mutex_);
  job.error = std::move(error);
  job.state = RestoreJob::State::kFailed;
  drop_buffer(job);
  report_fetcher();
}

RestoreJob* RestoreSchedule::try_take_failed() {
  const std::lock_guard lock(mutex_);
  return stopped_ ? nullptr : earliest(RestoreJob::State::kFailed);
}

bool RestoreSchedule::is_unused(const SealedBuffer& buffer) const {
  const std::lock_guard lock(mutex_);
  return buffer.users == 0;
}

bool RestoreSchedule::all_done() const {
  const std::lock_guard lock(mutex_);
  return plan_ended_ && jobs_.empty();
}

std::uint64_t RestoreSchedule::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

void RestoreSchedule::wait_for_event(std::uint64_t seen) const {
  std::unique_lock lock(mutex_);
  fetcher_.wait(lock, [&] { return stopped_ || events_ != seen; });
}

RestoreJob* RestoreSchedule::take_filled() {
  std::unique_lock lock(mutex_);
  RestoreJob* job = nullptr;
  workers_.wait(lock, [&] {
    if (stopped_ || (plan_ended_ && jobs_.empty())) return true;
    job = earliest(RestoreJob::State::kFilled);
    return job != nullptr;
  });
  return job;
}

void RestoreSchedule::finish(RestoreJob& job, RestoredBlock block, const RestoreTotals& cost) {
  const std::lock_guard lock(mutex_);
  slot_states_[job.fetch.slot] = {job.fetch.sequence, std::move(block)};
  totals_.decoded_bytes += cost.decoded_bytes;
  totals_.read_bytes += cost.read_bytes;
  totals_.healed_blocks += cost.healed_blocks;
  drop_buffer(job);
  job.state = RestoreJob::State::kDone;
  while (!jobs_.empty() && jobs_.front().state == RestoreJob::State::kDone) jobs_.pop_front();
  if (jobs_.empty() && plan_ended_) workers_.notify_all();
  followers_.notify_all();
  report_fetcher();
}

Result<void> RestoreSchedule::follow(Follower follower, const Consumer& consume) {
  std::uint64_t& passed = passed_[static_cast<std::size_t>(follower)];
  std::vector<RestoredPiece> pieces;
  std::unique_lock lock(mutex_);
  while (true) {
    followers_.wait(lock, [&] { return stopped_ || is_ready(passed) || (plan_ended_ && passed == planned_); });
    if (stopped_ || passed == planned_) return {};
    std::size_t count = 0;
    pieces.clear();
    for (; count < kRunsPerBatch && is_ready(passed + count); ++count)
      DRS_RETURN_IF_ERROR(add_pieces(passed + count, pieces));
    lock.unlock();
    for (const RestoredPiece& piece : pieces) DRS_RETURN_IF_ERROR(consume(piece));
    lock.lock();
    const std::uint64_t released_before = released();
    passed += count;
    if (released() != released_before) {
      gaps_.erase(gaps_.begin(), gaps_.lower_bound(released()));
      workers_.notify_all();
      report_fetcher();
    }
  }
}

Result<void> RestoreSchedule::add_pieces(std::uint64_t number, std::vector<RestoredPiece>& pieces) const {
  const PlannedRun& next = run(number);
  if (next.fetch == 0) {
    pieces.push_back({.stream_offset_bytes = next.stream_offset_bytes,
                      .bytes = {},
                      .lost_bytes = next.bytes,
                      .loss = gaps_.at(number)});
    return {};
  }
  const std::size_t block_bytes = slot_states_[next.slot].block.plain_bytes;
  if (next.offset_bytes > block_bytes || next.bytes > block_bytes - next.offset_bytes) {
    return Error(ErrorCode::kCorrupt, "the recipe needs " + std::to_string(next.bytes) + " bytes at offset " +
                                          std::to_string(next.offset_bytes) + " of a block of " +
                                          std::to_string(block_bytes) + " bytes, for offset " +
                                          std::to_string(next.stream_offset_bytes) + " of the stream");
  }
  add_lost_and_good(next, pieces);
  return {};
}

// Divides a run at the ends of the lost spans of its block.
void RestoreSchedule::add_lost_and_good(const PlannedRun& run, std::vector<RestoredPiece>& pieces) const {
  const RestoredBlock& block = slot_states_[run.slot].block;
  const std::uint64_t end_bytes = run.offset_bytes + run.bytes;
  std::uint64_t at_bytes = run.offset_bytes;
  const auto stream_offset = [&] { return run.stream_offset_bytes + (at_bytes - run.offset_bytes); };
  const auto add_good = [&](std::uint64_t to_bytes) {
    if (to_bytes <= at_bytes) return;
    const ByteView good = slot(run.slot).subspan(at_bytes, to_bytes - at_bytes);
    pieces.push_back({.stream_offset_bytes = stream_offset(), .bytes = good, .lost_bytes = 0, .loss = {}});
    at_bytes = to_bytes;
  };
  for (const BlockSpan& span : block.lost) {
    const std::uint64_t from_bytes = std::max<std::uint64_t>(span.offset_bytes, run.offset_bytes);
    const std::uint64_t to_bytes = std::min<std::uint64_t>(std::uint64_t{span.offset_bytes} + span.bytes, end_bytes);
    if (from_bytes >= to_bytes) continue;
    add_good(from_bytes);
    pieces.push_back({.stream_offset_bytes = stream_offset(),
                      .bytes = {},
                      .lost_bytes = to_bytes - from_bytes,
                      .loss = block.loss,
                      .problem = block.problem});
    at_bytes = to_bytes;
  }
  add_good(end_bytes);
}

RestoreTotals RestoreSchedule::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

bool RestoreSchedule::is_ready(std::uint64_t number) const {
  if (number >= planned_) return false;
  const PlannedRun& next = run(number);
  return next.fetch == 0 || slot_states_[next.slot].fetch == next.fetch;
}

// Takes the earliest job in `state` whose slot may be overwritten.
RestoreJob* RestoreSchedule::earliest(RestoreJob::State state) {
  for (RestoreJob& job : jobs_) {
    if (job.state != state || job.fetch.runs_before > released()) continue;
    job.state = RestoreJob::State::kTaken;
    return &job;
  }
  return nullptr;
}

void RestoreSchedule::drop_buffer(RestoreJob& job) {
  if (SealedBuffer* const buffer = std::exchange(job.buffer, nullptr); buffer != nullptr) --buffer->users;
}

void RestoreSchedule::report_fetcher() {
  ++events_;
  fetcher_.notify_one();
}

}  // namespace drs
