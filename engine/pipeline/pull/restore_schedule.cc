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

void RestoreSchedule::finish(RestoreJob& job, std::size_t plain_bytes, const RestoreTotals& cost) {
  const std::lock_guard lock(mutex_);
  slot_states_[job.fetch.slot] = {job.fetch.sequence, plain_bytes};
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
  std::array<ByteView, kRunsPerBatch> batch;
  std::unique_lock lock(mutex_);
  while (true) {
    followers_.wait(lock, [&] { return stopped_ || is_ready(passed) || (plan_ended_ && passed == planned_); });
    if (stopped_ || passed == planned_) return {};
    std::size_t count = 0;
    for (; count < batch.size() && is_ready(passed + count); ++count) {
      const PlannedRun& next = run(passed + count);
      const std::size_t block_bytes = slot_states_[next.slot].plain_bytes;
      if (next.offset_bytes > block_bytes || next.bytes > block_bytes - next.offset_bytes) {
        return Error(ErrorCode::kCorrupt, "the recipe needs " + std::to_string(next.bytes) + " bytes at offset " +
                                              std::to_string(next.offset_bytes) + " of a block of " +
                                              std::to_string(block_bytes) + " bytes, for offset " +
                                              std::to_string(next.stream_offset_bytes) + " of the stream");
      }
      batch[count] = slot(next.slot).subspan(next.offset_bytes, next.bytes);
    }
    lock.unlock();
    for (std::size_t i = 0; i < count; ++i) DRS_RETURN_IF_ERROR(consume(batch[i]));
    lock.lock();
    const std::uint64_t released_before = released();
    passed += count;
    if (released() != released_before) {
      workers_.notify_all();
      report_fetcher();
    }
  }
}

RestoreTotals RestoreSchedule::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

bool RestoreSchedule::is_ready(std::uint64_t number) const {
  return number < planned_ && slot_states_[run(number).slot].fetch == run(number).fetch;
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
