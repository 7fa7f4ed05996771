#include "engine/topics/proof.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/topic_configs.h"

namespace drs {
namespace {

// The chosen records of one partition, block by block.
class ExpectedRecords {
 public:
  ExpectedRecords(TopicView& view, const ChosenPartition& chosen) : view_(view), chosen_(chosen) {}

  // Moves to the next block with wanted records. False: there is none.
  Result<bool> next_block();
  // The digest and count of the wanted records of the block. Decodes the block where only a part of it is wanted.
  [[nodiscard]] const RecordDigest& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  // Calls `visit` with each wanted record of the block until it returns false.
  Result<void> visit(const VisitRecord& visit);

 private:
  Result<void> count();

  TopicView& view_;
  const ChosenPartition& chosen_;
  std::size_t extent_ = 0;
  ExtentIndex index_;
  bool loaded_ = false;
  std::size_t entry_ = 0;  // the next one
  RecordBlockEntry current_;
  RecordDigest digest_;
  std::uint64_t records_ = 0;
};

Result<void> ExpectedRecords::visit(const VisitRecord& visit) {
  const CatalogueExtent& extent = chosen_.extents[extent_];
  const auto visited = view_.visit_block(extent, current_, chosen_.window.within(extent), visit);
  return visited.ok() ? Result<void>() : visited.error();
}

Result<void> ExpectedRecords::count() {
  digest_ = {};
  records_ = 0;
  Bytes row;
  return visit([&](const Record& record) -> Result<bool> {
    digest_.add(record_hash(record, row));
    ++records_;
    return true;
  });
}

Result<bool> ExpectedRecords::next_block() {
  for (;;) {
    if (extent_ == chosen_.extents.size()) return false;
    const CatalogueExtent& extent = chosen_.extents[extent_];
    if (!loaded_) {
      DRS_ASSIGN_OR_RETURN(index_, view_.index(extent));
      loaded_ = true;
      entry_ = 0;
    }
    if (entry_ == index_.blocks.size()) {
      ++extent_;
      loaded_ = false;
      continue;
    }
    current_ = index_.blocks[entry_++];
    const RecordWindow window = chosen_.window.within(extent);
    if (!window.meets(current_)) continue;
    if (window.holds_all_of(current_)) {
      digest_ = current_.digest;
      records_ = current_.records;
      return true;
    }
    DRS_RETURN_IF_ERROR(count());
    if (records_ > 0) return true;
  }
}

// One partition being compared.
struct Comparison {
  Comparison(TopicView& view, const ChosenPartition& chosen, PartitionProof& result)
      : expected(view, chosen), proof(&result) {}
  ExpectedRecords expected;
  PartitionProof* proof;
  bool in_block = false;
  bool archive_ended = false;
  RecordDigest digest;                // of what came for the current block
  std::vector<RecordHash> hashes;     // of the same
  std::vector<std::int64_t> offsets;  // of the same, in the target
  std::vector<Bytes> rows;            // of the same, with each_record
};

class Comparer final : private RecordVisitor {
 public:
  Comparer(TopicView& view, const std::vector<ChosenTopic>& topics, RecordSource& target, const ProofOptions& options,
           const RunControl& control)
      : view_(view), topics_(topics), target_(target), options_(options), control_(control) {}
  Result<TopicProof> run();

 private:
  Result<void> record(std::uint32_t number, const Record& record) override { return own(add(number, record)); }
  Result<void> ended(std::uint32_t number) override { return own(end(number)); }
  Result<void> overtaken(std::uint32_t number, std::int64_t log_start) override;
  Result<void> vanished(std::uint32_t number) override;
  Result<void> own(Result<void> done) {
    own_error_ = own_error_ || !done.ok();
    return done;
  }
  Result<void> plan();
  Result<void> add(std::uint32_t number, const Record& record);
  Result<void> end(std::uint32_t number);
  Result<void> check_block(Comparison& comparison);
  Result<void> name_difference(Comparison& comparison);
  void finish(std::uint32_t number, const std::string& difference);

  TopicView& view_;
  const std::vector<ChosenTopic>& topics_;
  RecordSource& target_;
  const ProofOptions& options_;
  const RunControl control_;
  TopicProof proof_;
  std::vector<std::size_t> topic_numbers_;  // by partition
  std::vector<std::int64_t> starts_;        // of the target's logs, by partition
  struct Waiting {
    OffsetRange range;
    const ChosenPartition* chosen = nullptr;
  };
  std::vector<Waiting> waiting_;  // last first; numbers are those of proof_.partitions
  std::map<std::uint32_t, Comparison> active_;
  std::vector<std::uint32_t> to_stop_;
  Bytes row_;
  bool own_error_ = false;
};

Result<void> Comparer::plan() {
  std::vector<TopicPartition> targets;
  std::vector<const ChosenPartition*> chosen;
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (const ChosenPartition& partition : topics_[t].partitions) {
      const ChosenTopic& topic = topics_[t];
      topic_numbers_.push_back(t);
      targets.push_back({topic.target, partition.number});
      chosen.push_back(&partition);
      PartitionProof proof;
      proof.source = {topic.source->name, partition.number};
      proof.target = targets.back();
      proof_.partitions.push_back(std::move(proof));
    }
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, of_source(target_.capture(targets)));
  for (const PartitionEnds& of_log : ends) starts_.push_back(of_log.log_start);
  for (std::size_t i = targets.size(); i > 0; --i)
    waiting_.push_back(
        {{static_cast<std::uint32_t>(i - 1), targets[i - 1], ends[i - 1].log_start, ends[i - 1].last_stable},
         chosen[i - 1]});
  return {};
}

void Comparer::finish(std::uint32_t number, const std::string& difference) {
  PartitionProof& proof = proof_.partitions[number];
  proof.difference = difference;
  to_stop_.push_back(number);
}

// The digests of a block differ: finds the first record that does.
Result<void> Comparer::name_difference(Comparison& comparison) {
  std::size_t at = 0;
  std::string text;
  DRS_RETURN_IF_ERROR(comparison.expected.visit([&](const Record& record) -> Result<bool> {
    if (at < comparison.hashes.size() && record_hash(record, row_) == comparison.hashes[at]) {
      ++at;
      return true;
    }
    text = "the archive's record at offset " + std::to_string(record.offset) +
           (at < comparison.hashes.size()
                ? " differs from the target's at offset " + std::to_string(comparison.offsets[at])
                : " is missing in the target, which ends before it");
    return false;
  }));
  comparison.proof->records += at;
  comparison.proof->difference =
      text.empty() ? "the digest of a block of the archive does not agree with its records" : text;
  return {};
}

// What came for the current block is as many records as it has.
Result<void> Comparer::check_block(Comparison& comparison) {
  comparison.in_block = false;
  bool equal = comparison.digest == comparison.expected.digest();
  if (equal && options_.each_record) {
    std::size_t at = 0;
    DRS_RETURN_IF_ERROR(comparison.expected.visit([&](const Record& record) -> Result<bool> {
      encode_record_row(record, row_);
      equal = row_ == comparison.rows[at++];
      return equal;
    }));
  }
  if (!equal) return name_difference(comparison);
  comparison.proof->records += comparison.expected.records();
  return {};
}

Result<void> Comparer::add(std::uint32_t number, const Record& record) {
  const auto found = active_.find(number);
  if (found == active_.end()) return {};
  Comparison& comparison = found->second;
  PartitionProof& proof = *comparison.proof;
  const std::uint64_t payload = payload_bytes(record);
  proof_.payload_bytes += payload;
  count_progress(control_.progress, topic_numbers_[number], payload);
  if (!proof.difference.empty()) return {};
  if (!comparison.in_block && !comparison.archive_ended) {
    DRS_ASSIGN_OR_RETURN(comparison.in_block, comparison.expected.next_block());
    comparison.archive_ended = !comparison.in_block;
    comparison.digest = {};
    comparison.hashes.clear();
    comparison.offsets.clear();
    comparison.rows.clear();
    if (comparison.in_block) proof.expected += comparison.expected.records();
  }
  if (comparison.archive_ended) {
    ++proof.extra_records;
    return {};
  }
  comparison.hashes.push_back(record_hash(record, row_));
  comparison.offsets.push_back(record.offset);
  if (options_.each_record) encode_record_row(record, comparison.rows.emplace_back());
  comparison.digest.add(comparison.hashes.back());
  if (comparison.hashes.size() < comparison.expected.records()) return {};
  DRS_RETURN_IF_ERROR(check_block(comparison));
  if (!proof.difference.empty()) finish(number, std::string(proof.difference));
  return {};
}

Result<void> Comparer::end(std::uint32_t number) {
  const auto found = active_.find(number);
  if (found == active_.end()) return {};
  Comparison& comparison = found->second;
  PartitionProof& proof = *comparison.proof;
  if (proof.difference.empty() && comparison.in_block) {
    DRS_RETURN_IF_ERROR(name_difference(comparison));
  } else if (proof.difference.empty() && !comparison.archive_ended) {
    DRS_ASSIGN_OR_RETURN(const bool more, comparison.expected.next_block());
    if (more) {
      comparison.hashes.clear();
      DRS_RETURN_IF_ERROR(name_difference(comparison));
    }
  }
  active_.erase(found);
  return {};
}

Result<void> Comparer::overtaken(std::uint32_t number, std::int64_t log_start) {
  finish(number, "retention at the target deletes records: its log now begins at " + std::to_string(log_start));
  return {};
}

Result<void> Comparer::vanished(std::uint32_t number) {
  PartitionProof& proof = proof_.partitions[number];
  proof.difference = "the target's topic has been deleted";
  active_.erase(number);
  return {};
}

Result<TopicProof> Comparer::run() {
  DRS_RETURN_IF_ERROR(plan());
  while (!waiting_.empty() || !active_.empty()) {
    while (active_.size() < options_.window && !waiting_.empty()) {
      const Waiting next = std::move(waiting_.back());
      waiting_.pop_back();
      active_.try_emplace(next.range.number, view_, *next.chosen, proof_.partitions[next.range.number]);
      DRS_RETURN_IF_ERROR(of_source(target_.read(next.range)));
    }
    if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the comparison was cancelled");
    if (auto polled = target_.poll(*this); !polled.ok())
      return own_error_ ? std::move(polled).error() : as_source_error(std::move(polled).error());
    for (const std::uint32_t number : std::exchange(to_stop_, {})) {
      if (active_.erase(number) == 0) continue;
      DRS_RETURN_IF_ERROR(of_source(target_.stop(number)));
    }
  }
  for (std::size_t i = 0; i < proof_.partitions.size(); ++i) {
    PartitionProof& proof = proof_.partitions[i];
    if (!proof.difference.empty()) ++proof_.different;
    if (!proof.difference.empty() && proof.records == 0 && starts_[i] > 0)
      proof.difference +=
          "; the target's log starts at offset " + std::to_string(starts_[i]) +
          ": if retention has deleted what was before, only a comparison right after a restore is equal";
    proof_.records += proof.records;
    proof_.extra_records += proof.extra_records;
  }
  return std::move(proof_);
}

}  // namespace

Result<TopicProof> compare_topics(TopicView& view, const std::vector<ChosenTopic>& topics, RecordSource& target,
                                  const ProofOptions& options, const RunControl& control) {
  return Comparer(view, topics, target, options, control).run();
}

void explain_by_compaction(TopicProof& proof, TopicCluster& cluster) {
  std::map<std::string, bool> compacted;
  for (PartitionProof& each : proof.partitions) {
    if (each.difference.empty()) continue;
    const auto [topic, is_new] = compacted.try_emplace(each.target.topic, false);
    if (is_new) {
      const auto configs = cluster.all_configs(each.target.topic);
      topic->second = configs.ok() && is_compacted(*configs);
    }
    if (topic->second)
      each.difference +=
          "; the topic is compacted there, so that only a comparison right after a restore, before compaction has "
          "removed records, is equal";
  }
}

}  // namespace drs
