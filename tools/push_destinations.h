// The repositories that one `drstream push` writes to: that of --repository, and those of --also.
//
// The source is read once. Each repository gets a push of its own, with its own session, deduplication, gates and
// commit: one that fails leaves the others whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipeline/push.h"
#include "engine/repository/repository.h"
#include "tools/command.h"
#include "tools/heads.h"
#include "tools/push_spool.h"
#include "tools/repository_place.h"
#include "tools/seen_heads.h"

namespace drs {

struct PushDestination {
  RepositoryPlace place;
  std::string title;  // what messages call it
  std::unique_ptr<Repository> repository;
  // Made before the source is read: once a signal has come, the address of a bucket may not be found out any more, and
  // the head would be filed under another.
  std::shared_ptr<SeenHeads> seen = {};
  std::vector<Head> heads_before = {};  // of the stream, as they were recorded before the push
  std::string next_step = {};           // of its failed push, where it is not the one of its kind
};

// All are opened before the first byte is read: one that is missing now is a mistake to mend, not an outage to survive.
// Errors: kUsage (one repository under two names, whatever they are); those of open_repository, with the place where
// there are several.
Result<std::vector<PushDestination>> open_push_destinations(CommandContext& context,
                                                            const std::vector<std::string>& also,
                                                            const std::string& stream);

// How --memory and --threads are shared out.
struct PushShares {
  std::vector<PushMemory> pushes;    // for each destination
  std::size_t ring_bytes = 0;        // that all read from; 0 for one, which reads the source itself
  std::vector<std::string> notices;  // of what was reduced
};
// `spooled`: each push has a spool. Errors: kUsage, saying how much is needed.
Result<PushShares> plan_push_shares(const GlobalOptions& options, const std::vector<PushDestination>& destinations,
                                    CompressionChoice compression, bool spooled);

class PushBuffers {
 public:
  // Errors: kNoSpace.
  static Result<PushBuffers> map(const PushShares& shares);
  // Where the source's buffers will lie.
  [[nodiscard]] MutableByteView source_memory() const { return ring_ ? ring_->whole() : pushes_.front().whole(); }
  [[nodiscard]] bool has_ring() const { return ring_.has_value(); }
  [[nodiscard]] BufferArena& push(std::size_t destination) { return pushes_[destination]; }

 private:
  PushBuffers() = default;
  std::vector<BufferArena> pushes_;
  std::optional<BufferArena> ring_;
};

// One outcome for each destination, in their order. Tells of failures as they happen where others go on. Errors: kIo
// (no thread to read the source with).
Result<std::vector<Result<PushReport>>> push_to_each(CommandContext& context,
                                                     std::vector<PushDestination>& destinations, Source& source,
                                                     const PushOptions& options, const PushShares& shares,
                                                     PushBuffers& buffers, const SpoolSettings& spool,
                                                     std::optional<std::uint64_t> size_hint);

}  // namespace drs
