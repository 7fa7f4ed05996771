#include "engine/topics/archive_reader.h"

#include <algorithm>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/gap_check.h"

namespace drs {

ArchiveReader::ArchiveReader(ArchivePlan& plan, RecordSource& source, SegmentWriter& segment, const RunControl& control,
                             Options options)
    : plan_(plan),
      source_(source),
      segment_(segment),
      control_(control),
      options_(std::move(options)),
      read_(plan.topics.size()),
      vanished_(plan.topics.size(), false) {
  for (std::size_t i = plan_.topics.size(); i > 0; --i) enqueue(i - 1);
}

void ArchiveReader::enqueue(std::size_t topic) {
  const std::vector<PlannedPartition>& partitions = plan_.topics[topic].partitions;
  read_[topic].assign(partitions.size(), {});
  for (std::size_t i = partitions.size(); i > 0; --i) {
    const PlannedPartition& partition = partitions[i - 1];
    read_[topic][i - 1].through = !partition.kept.empty()    ? partition.kept.back().to
                                  : !partition.reads.empty() ? partition.reads.front().from
                                                             : partition.target;
    for (auto span = partition.reads.rbegin(); span != partition.reads.rend(); ++span) {
      Range range{.topic = topic, .partition = i - 1, .span = *span, .expected = {}, .writer = {}};
      if (partition.expected && partition.expected->offset == span->from) range.expected = partition.expected;
      waiting_.push_back(std::move(range));
    }
  }
}

std::string ArchiveReader::name_of(const Range& range) const {
  const PlannedTopic& topic = plan_.topics[range.topic];
  return "topic " + topic.topic.name + ", partition " + std::to_string(topic.partitions[range.partition].number);
}

Result<void> ArchiveReader::begin(Range range) {
  const PlannedTopic& topic = plan_.topics[range.topic];
  const GapCause cause = usual_gap_cause(topic);
  // What lies before the end of the last archive is in it, the expected record above all.
  const PlannedPartition& planned = topic.partitions[range.partition];
  const std::int64_t from =
      range.expected && !planned.kept.empty() ? std::max(range.span.from + 1, planned.kept.back().to) : range.span.from;
  range.writer = std::make_unique<ExtentWriter>(segment_, segment_.topic_number({topic.topic.name, topic.topic.id}),
                                                topic.partitions[range.partition].number, from, cause);
  const OffsetRange wanted{.number = number_next_++,
                           .partition = {topic.topic.name, topic.partitions[range.partition].number},
                           .from = range.span.from,
                           .to = range.span.to};
  active_.emplace(wanted.number, std::move(range));
  return of_source(source_.read(wanted));
}

// Ranges of one partition are read one after the other, so that its records are stored in their order.
Result<void> ArchiveReader::fill_window() {
  const auto is_free = [this](const Range& range) {
    return std::ranges::none_of(active_, [&](const auto& active) {
      return active.second.topic == range.topic && active.second.partition == range.partition;
    });
  };
  while (active_.size() < options_.window) {
    const auto next = std::find_if(waiting_.rbegin(), waiting_.rend(), is_free);
    if (next == waiting_.rend()) return {};
    Range range = std::move(*next);
    waiting_.erase(std::next(next).base());
    DRS_RETURN_IF_ERROR(begin(std::move(range)));
  }
  return {};
}

// Whether the first record shows that the topic is still the one that was archived. `record`: null if the range ended
// without one.
Result<void> ArchiveReader::check_first(Range& range, const Record* record) {
  const LastRecord expected = *std::exchange(range.expected, std::nullopt);
  const PlannedTopic& topic = plan_.topics[range.topic];
  const std::string partition = std::to_string(topic.partitions[range.partition].number);
  Bytes row;
  if (record != nullptr && record->offset == expected.offset) {
    if (record_hash(*record, row) == expected.hash) return {};
    to_restart_.emplace(range.topic, "the record at offset " + std::to_string(expected.offset) + " of partition " +
                                         partition + " is another one than in the last archive");
    return {};
  }
  if (topic.compacted) return {};  // compaction takes the last record, too
  to_restart_.emplace(range.topic, "the last archived record of partition " + partition + ", at offset " +
                                       std::to_string(expected.offset) + ", is gone, and the topic is not compacted");
  return {};
}

// Notes that an error comes from this side of the source.
Result<void> ArchiveReader::own(Result<void> done) {
  own_error_ = own_error_ || !done.ok();
  return done;
}

Result<void> ArchiveReader::record(std::uint32_t number, const Record& record) {
  return own(add(active_.at(number), record));
}

Result<void> ArchiveReader::add(Range& range, const Record& record) {
  if (to_restart_.contains(range.topic)) return {};
  if (range.expected) {
    const std::int64_t offset = range.expected->offset;
    DRS_RETURN_IF_ERROR(check_first(range, &record));
    if (to_restart_.contains(range.topic) || record.offset == offset) return {};
  }
  if (record.offset < range.writer->position()) return {};  // archived already
  const std::uint64_t payload = drs::payload_bytes(record);
  if (auto added = range.writer->add(record); !added.ok()) return std::move(added).error().with_context(name_of(range));
  ++records_;
  payload_bytes_ += payload;
  control_.progress.bytes += payload;
  return {};
}

Result<void> ArchiveReader::finish_range(Range& range, std::int64_t to) {
  ReadPartition& read = read_[range.topic][range.partition];
  DRS_RETURN_IF_ERROR(range.writer->finish(std::max(to, range.writer->position())));
  for (const Extent& extent : range.writer->extents()) read.extents.push_back(extent);
  read.through = std::max(to, range.writer->position());
  const std::vector<Gap>& doubtful = range.writer->gaps_in_doubt();
  read.gaps_in_doubt.insert(read.gaps_in_doubt.end(), doubtful.begin(), doubtful.end());
  keep_largest_gaps(read.gaps_in_doubt, kGapsReadAgain);
  return {};
}

std::vector<OffsetRange> ArchiveReader::gaps_in_doubt() const {
  std::vector<OffsetRange> ranges;
  for (std::size_t t = 0; t < read_.size(); ++t) {
    if (vanished_[t]) continue;
    const PlannedTopic& topic = plan_.topics[t];
    for (std::size_t p = 0; p < read_[t].size(); ++p)
      for (const Gap& gap : read_[t][p].gaps_in_doubt)
        ranges.push_back({.number = 0,
                          .partition = {topic.topic.name, topic.partitions[p].number},
                          .from = gap.from,
                          .to = gap.from + static_cast<std::int64_t>(gap.offsets)});
  }
  return ranges;
}

Result<void> ArchiveReader::ended(std::uint32_t number) {
  return own(end(number));
}

Result<void> ArchiveReader::end(std::uint32_t number) {
  const auto found = active_.find(number);
  Range& range = found->second;
  if (range.expected && !to_restart_.contains(range.topic)) DRS_RETURN_IF_ERROR(check_first(range, nullptr));
  if (!to_restart_.contains(range.topic)) DRS_RETURN_IF_ERROR(finish_range(range, range.span.to));
  active_.erase(found);
  return {};
}

Result<void> ArchiveReader::overtaken(std::uint32_t number, std::int64_t log_start) {
  Range& range = active_.at(number);
  // The record with which to compare is gone, too.
  range.expected.reset();
  const std::int64_t to = std::min(log_start, range.span.to);
  if (to <= range.writer->position()) return {};
  read_[range.topic][range.partition].overtaken_offsets += static_cast<std::uint64_t>(to - range.writer->position());
  return own(range.writer->skip(to, GapCause::kRetention));
}

Result<void> ArchiveReader::vanished(std::uint32_t number) {
  return own(vanish(number));
}

Result<void> ArchiveReader::vanish(std::uint32_t number) {
  const auto found = active_.find(number);
  const std::size_t topic = found->second.topic;
  const std::string name = name_of(found->second);
  active_.erase(found);
  if (plan_.topics[topic].literal)
    return Error(ErrorCode::kSource, name + ": it was deleted while it was being archived");
  if (!vanished_[topic]) leave_out(topic, "was deleted");
  to_drop_.insert(topic);
  return {};
}

void ArchiveReader::leave_out(std::size_t topic, const std::string& what) {
  plan_.warnings.push_back("topic " + plan_.topics[topic].topic.name + " " + what +
                           " while it was being archived: this snapshot does not hold it");
  vanished_[topic] = true;
}

// Ends the reading of a topic.
Result<void> ArchiveReader::drop_ranges(std::size_t topic) {
  std::erase_if(waiting_, [&](const Range& range) { return range.topic == topic; });
  for (auto range = active_.begin(); range != active_.end();) {
    if (range->second.topic != topic) {
      ++range;
      continue;
    }
    DRS_RETURN_IF_ERROR(source_.stop(range->first));
    range = active_.erase(range);
  }
  return {};
}

Result<void> ArchiveReader::restart_topic(std::size_t topic, const std::string& why) {
  DRS_RETURN_IF_ERROR(drop_ranges(topic));
  begin_new_generation(plan_, plan_.topics[topic], why);
  enqueue(topic);
  return {};
}

// The run ends early: what was read of the ranges stays.
Result<void> ArchiveReader::finish_all(std::string reason) {
  stopped_ = std::move(reason);
  for (auto& [number, range] : active_) {
    DRS_RETURN_IF_ERROR(source_.stop(number));
    if (vanished_[range.topic]) continue;
    // Nothing was read that shows whether the topic is still the same one.
    if (range.expected) continue;
    DRS_RETURN_IF_ERROR(finish_range(range, range.writer->position()));
    read_[range.topic][range.partition].unread = true;
  }
  for (const Range& range : waiting_)
    if (!range.expected) read_[range.topic][range.partition].unread = true;
  active_.clear();
  waiting_.clear();
  return {};
}

std::string ArchiveReader::reason_to_stop() const {
  if (options_.bytes_max && payload_bytes_ >= *options_.bytes_max) return "budget";
  return options_.stop ? options_.stop() : std::string();
}

Result<void> ArchiveReader::run() {
  for (;;) {
    DRS_RETURN_IF_ERROR(fill_window());
    if (active_.empty()) return {};
    if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the archive was cancelled");
    if (std::string reason = reason_to_stop(); !reason.empty()) return finish_all(std::move(reason));
    if (auto polled = source_.poll(*this); !polled.ok()) {
      if (own_error_) return std::move(polled).error();
      // It may have come while the source waited for brokers that do not answer.
      std::string reason = polled.error().code == ErrorCode::kUnavailable ? reason_to_stop() : std::string();
      if (!reason.empty()) return finish_all(std::move(reason));
      return as_source_error(std::move(polled).error());
    }
    for (const auto& [topic, why] : std::exchange(to_restart_, {}))
      if (!vanished_[topic]) DRS_RETURN_IF_ERROR(restart_topic(topic, why));
    for (const std::size_t topic : std::exchange(to_drop_, {})) DRS_RETURN_IF_ERROR(drop_ranges(topic));
  }
}

}  // namespace drs
