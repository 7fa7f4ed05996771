// What a sweep has proven since it last said so: collects the outcomes of its workers, and makes records of them.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "engine/format/verified.h"
#include "engine/repository/pack_catalog.h"
#include "verify/pack_check.h"

namespace drs {

// Any thread.
class SweepRecord {
 public:
  struct Options {
    std::vector<WallNs> bounds;  // ArcsRequest::bounds
    WallNs now_ns = 0;           // by this machine's clock, before the packs were listed
    ProofLevel level = ProofLevel::kDecoded;
    std::size_t workers = 1;
    std::string host, tool;
  };
  // `packs` must outlive the record.
  SweepRecord(std::span<const PackInfo> packs, Options options);

  // Call both around the reading of a pack, on the thread of that worker. `now_ns`: by this machine's clock.
  void begin(std::size_t worker, WallNs now_ns);
  void end(std::size_t worker, std::size_t pack, PackOutcome outcome);
  void rebuilt(const RebuiltSnapshot& snapshot);

  // Everything since the last call; several where one object cannot hold it, none where there is nothing.
  std::vector<Verified> take(WallNs now_ns);

  [[nodiscard]] std::uint64_t damaged() const;  // packs, of the whole run

 private:
  [[nodiscard]] WallNs begun_ns(WallNs now_ns) const;

  const std::span<const PackInfo> packs_;
  const Options options_;
  WallNs listed_ns_ = 0;
  mutable std::mutex mutex_;              // guards what follows
  std::vector<WallNs> reading_since_ns_;  // of each worker; 0: it reads nothing
  WallNs since_ns_ = 0;                   // before the first reading that the next record tells; 0: there was none
  std::vector<bool> proven_;              // for each pack: since the last record
  std::vector<DamagedPack> damaged_;
  std::vector<RebuiltSnapshot> rebuilt_;
  bool any_ = false;
  std::uint64_t damaged_count_ = 0;
};

}  // namespace drs
