#include "engine/pipeline/pull/restore_fetcher.h"

#include <algorithm>
#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/pull/restore_buffers.h"
#include "io/base/catch_thrown.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// A gap between two needed blocks of up to this size is cheaper to read than to skip.
constexpr std::uint64_t kGapBytesMax = 64 * kKiB;

std::uint64_t aligned_begin(const BlockRecord& record) {
  return record.offset_bytes / kReadAlignment * kReadAlignment;
}

// The result may lie beyond the end of the pack: the store then delivers fewer bytes.
std::uint64_t aligned_end(const BlockRecord& record) {
  const std::uint64_t end_bytes = std::uint64_t{record.offset_bytes} + record.sealed_bytes;
  return (end_bytes + kReadAlignment - 1) / kReadAlignment * kReadAlignment;
}

}  // namespace

Error lost_error(Error error, const RestoreRange& lost) {
  return std::move(error).with_context("bytes " + std::to_string(lost.begin_bytes) + " to " +
                                       std::to_string(lost.end_bytes) + " of the stream cannot be restored");
}

RestoreFetcher::RestoreFetcher(const std::vector<RecipePartRef>& parts, const Options& options, ObjectStore& store,
                               BlockRecovery& recovery, RestoreSchedule& schedule, ProgressCounters& progress)
    : parts_(parts),
      range_(options.range),
      losses_(options.losses),
      store_(store),
      recovery_(recovery),
      schedule_(schedule),
      progress_(progress),
      planner_(options.planner) {
  const MutableByteView sealed = options.sealed;
  for (std::size_t at = 0; at + kSealedBufferBytes <= sealed.size(); at += kSealedBufferBytes) {
    auto read = std::make_unique<Read>();
    read->buffer.bytes = sealed.subspan(at, kSealedBufferBytes);
    reads_.push_back(std::move(read));
  }
  DRS_ASSERT(!reads_.empty(), "a restore needs at least one sealed buffer");
  arrived_.reserve(reads_.size());
}

Result<void> RestoreFetcher::run() {
  Result<void> result = catch_thrown([&] { return run_until_done(); });
  // The store writes into our buffers until each read is done, even after an error.
  while (store_.in_flight() > 0) {
    auto ran = catch_thrown([&] { return store_.run(true); });
    if (!ran.ok() && result.ok()) result = std::move(ran).error();
  }
  return result;
}

Result<void> RestoreFetcher::run_until_done() {
  while (!schedule_.stopped()) {
    const std::uint64_t events = schedule_.events();
    DRS_RETURN_IF_ERROR(recovery_failed());
    DRS_RETURN_IF_ERROR(plan_ahead());
    submit();
    if (store_.in_flight() > 0) {
      DRS_RETURN_IF_ERROR(store_.run(arrived_.empty()));
    } else if (schedule_.all_done()) {
      return {};
    } else if (arrived_.empty()) {
      schedule_.wait_for_event(events);
    }
    settle_reads();
  }
  return {};
}

// Puts steps on the schedule until it is full, no buffer is free, or the plan ends.
Result<void> RestoreFetcher::plan_ahead() {
  while (!plan_ended_ && !schedule_.stopped()) {
    if (!step_) {
      DRS_ASSIGN_OR_RETURN(const bool taken, take_step());
      if (!taken) {
        plan_ended_ = true;
        schedule_.end_plan();
        return {};
      }
    }
    if (!schedule_.has_room()) return {};
    if (step_->fetch && !start_job()) return {};
    if (step_->run.fetch == 0) {
      schedule_.add_gap(step_->run, gaps_.front());
      gaps_.pop_front();
    } else {
      schedule_.add_run(step_->run);
    }
    step_.reset();
  }
  return {};
}

// Returns false if the plan has ended.
Result<bool> RestoreFetcher::take_step() {
  while (planner_.wants_part()) {
    while (next_part_ < parts_.size() &&
           parts_[next_part_].stream_offset_bytes + parts_[next_part_].stream_bytes <= range_.begin_bytes) {
      ++next_part_;
    }
    if (next_part_ == parts_.size() || parts_[next_part_].stream_offset_bytes >= range_.end_bytes) {
      planner_.finish();
      break;
    }
    DRS_RETURN_IF_ERROR(add_part(parts_[next_part_++]));
  }
  step_ = planner_.next();
  if (!step_) return false;
  location_.reset();
  if (!step_->fetch) return true;
  location_ = recovery_.locate(step_->fetch->block);
  if (location_->ok()) {
    if ((*location_)->record.kind == BlockKind::kData) return true;
    return lose(Error(ErrorCode::kCorrupt, describe(**location_) + " is not a data block"),
                step_->run.stream_offset_bytes, step_->run.bytes);
  }
  if (!is_object_fault(location_->error())) return location_->error();
  return true;
}

// Gives the planner a part that begins before the end of the range and ends behind its beginning.
Result<void> RestoreFetcher::add_part(const RecipePartRef& ref) {
  Loss loss;
  auto part = recovery_.read_recipe_part(ref, &loss);
  if (part.ok()) {
    clip_recipe_part(*part, range_.begin_bytes, range_.end_bytes);
    planner_.add_part(*std::move(part));
    return {};
  }
  if (losses_ == Losses::kEndTheRun || !is_object_fault(part.error()))
    return lose(std::move(part).error(), ref.stream_offset_bytes, ref.stream_bytes);
  const std::uint64_t begin_bytes = std::max(ref.stream_offset_bytes, range_.begin_bytes);
  const std::uint64_t end_bytes = std::min(ref.stream_offset_bytes + ref.stream_bytes, range_.end_bytes);
  if (begin_bytes == end_bytes) return {};
  planner_.add_gap(begin_bytes, end_bytes - begin_bytes);
  gaps_.push_back(loss);
  return {};
}

// Makes a job of the step's fetch. Returns false if no buffer is free.
bool RestoreFetcher::start_job() {
  RestoreJob job;
  job.fetch = *step_->fetch;
  job.stream_offset_bytes = step_->run.stream_offset_bytes;
  job.stream_bytes = step_->run.bytes;
  if (!location_->ok()) {
    schedule_.set_failed(schedule_.add_job(std::move(job)), location_->error());
    return true;
  }
  Read* const read = read_for(**location_);
  if (read == nullptr) return false;
  job.location = **location_;
  job.buffer = &read->buffer;
  read->wanted_bytes += job.location->record.sealed_bytes;
  read->jobs.push_back(&schedule_.add_job(std::move(job)));
  return true;
}

// Returns the open read if the block lies close to it, else a new one; nullptr if all buffers are in use.
RestoreFetcher::Read* RestoreFetcher::read_for(const BlockLocation& location) {
  if (open_ != nullptr && extend(*open_, location)) return open_;
  submit();
  for (const auto& read : reads_) {
    if (!read->jobs.empty() || !schedule_.is_unused(read->buffer)) continue;
    open_ = read.get();
    open_->pack = location.pack;
    open_->begin_bytes = aligned_begin(location.record);
    open_->end_bytes = aligned_end(location.record);
    open_->wanted_bytes = 0;
    return open_;
  }
  return nullptr;
}

bool RestoreFetcher::extend(Read& read, const BlockLocation& location) const {
  if (read.pack != location.pack) return false;
  const BlockRecord& record = location.record;
  const std::uint64_t begin = std::min(read.begin_bytes, aligned_begin(record));
  const std::uint64_t end = std::max(read.end_bytes, aligned_end(record));
  if (end - begin > read.buffer.bytes.size()) return false;
  if (end - begin > read.wanted_bytes + record.sealed_bytes + kGapBytesMax) return false;
  read.begin_bytes = begin;
  read.end_bytes = end;
  return true;
}

void RestoreFetcher::submit() {
  Read* const read = std::exchange(open_, nullptr);
  if (read == nullptr) return;
  read->get.key = pack_name(read->pack);
  read->get.offset_bytes = read->begin_bytes;
  read->get.destination = read->buffer.bytes.first(static_cast<std::size_t>(read->end_bytes - read->begin_bytes));
  read->get.result = std::size_t{0};
  // The completion only records the read: it may run inside a blocking read of BlockRecovery.
  read->get.done = [](GetOperation& get) {
    auto* const self = static_cast<RestoreFetcher*>(get.owner);
    const auto owner = std::find_if(self->reads_.begin(), self->reads_.end(),
                                    [&](const auto& candidate) { return &candidate->get == &get; });
    self->arrived_.push_back(owner->get());
  };
  read->get.owner = this;
  store_.get(read->get);
}

void RestoreFetcher::settle_reads() {
  std::vector<Read*> arrived;
  arrived.reserve(reads_.size());
  arrived.swap(arrived_);
  for (Read* const read : arrived) {
    const std::size_t delivered = read->get.result.ok() ? *read->get.result : 0;
    read_bytes_ += delivered;
    progress_.stored_bytes += delivered;
    for (RestoreJob* const job : std::exchange(read->jobs, {})) {
      const BlockRecord& record = job->location->record;
      const std::size_t begin = static_cast<std::size_t>(record.offset_bytes - read->begin_bytes);
      if (!read->get.result.ok()) {
        schedule_.set_failed(*job, read->get.result.error());
      } else if (begin + record.sealed_bytes > delivered) {
        schedule_.set_failed(*job, Error(ErrorCode::kTruncated, describe(*job->location) + ": the pack ends early"));
      } else {
        schedule_.set_filled(*job, ByteView(read->buffer.bytes).subspan(begin, record.sealed_bytes));
      }
    }
  }
}

Error RestoreFetcher::lose(Error error, std::uint64_t offset_bytes, std::uint64_t bytes) {
  lost_ = RestoreRange{offset_bytes, offset_bytes + bytes};
  return lost_error(std::move(error), *lost_);
}

Result<void> RestoreFetcher::recovery_failed() {
  while (RestoreJob* const job = schedule_.try_take_failed()) {
    auto recovered = recovery_.recover(job->fetch.block, job->location, *job->error, schedule_.slot(job->fetch.slot));
    if (!recovered.ok()) return lose(std::move(recovered).error(), job->stream_offset_bytes, job->stream_bytes);
    // Nobody may need what is lost. A restore without holes ends where a run does.
    const bool rebuilt = recovered->healed || (losses_ == Losses::kEndTheRun && !recovered->block.lost.empty());
    if (losses_ == Losses::kEndTheRun) recovered->block.problem = std::move(recovered->problem);
    progress_.stored_bytes += recovered->read_bytes;
    schedule_.finish(*job, std::move(recovered->block),
                     {recovered->decoded_bytes, recovered->read_bytes, rebuilt ? std::uint64_t{1} : 0});
  }
  return {};
}

}  // namespace drs
