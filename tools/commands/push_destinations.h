// The repositories that one `drstream push` writes to: that of --repository, and those of --also.
//
// The source is read once. Each repository gets a push of its own, with its own session, deduplication, gates and
// commit: one that fails leaves the others whole.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipeline/push/push.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/repository.h"
#include "tools/command.h"
#include "tools/commands/push_spool.h"
#include "tools/repository/heads.h"
#include "tools/repository/repository_location.h"
#include "tools/repository/seen_heads.h"

namespace drs {

struct PushDestination {
  RepositoryLocation place;
  std::string title;  // what messages call it
  std::unique_ptr<Repository> repository;
  // Made before the source is read: after a signal the address of a bucket can no longer be looked up, and the head
  // would be recorded under another address.
  std::shared_ptr<SeenHeads> seen = {};
  std::vector<Head> heads_before = {};          // of the stream, as they were recorded before the push
  std::string next_step = {};                   // of its failed push, if it is not that of the kind of error
  std::optional<Result<HoldReport>> hold = {};  // of the snapshot that was committed, if one was asked for
};

// Opens all of them before the first byte is read: a repository that is missing now is a mistake of the operator, not
// an outage to survive. Errors: kUsage (one repository under two names, a repository and its replica); those of
// open_repository, with the place where there are several.
Result<std::vector<PushDestination>> open_push_destinations(CommandContext& context,
                                                            const std::vector<std::string>& also,
                                                            const std::string& stream);

// How --memory and --threads are divided.
struct PushShares {
  std::vector<PushMemory> pushes;    // for each destination
  std::size_t ring_bytes = 0;        // that all pushes read from; 0 for a single one, which reads the source itself
  std::vector<std::string> notices;  // what was reduced
};
// `spooled`: each push has a spool. Errors: kUsage, saying how much is needed.
Result<PushShares> plan_push_shares(const GlobalOptions& options, const std::vector<PushDestination>& destinations,
                                    CompressionChoice compression, bool spooled);

class PushBuffers {
 public:
  // Errors: kNoSpace.
  static Result<PushBuffers> map(const PushShares& shares);
  // The memory of the source's buffers.
  [[nodiscard]] MutableByteView source_memory() const { return ring_ ? ring_->whole() : pushes_.front().whole(); }
  [[nodiscard]] bool has_ring() const { return ring_.has_value(); }
  [[nodiscard]] BufferArena& push(std::size_t destination) { return pushes_[destination]; }

 private:
  PushBuffers() = default;
  std::vector<BufferArena> pushes_;
  std::optional<BufferArena> ring_;
};

// What every push of a command is given.
struct PushWork {
  const PushOptions& options;
  const PushShares& shares;
  PushBuffers& buffers;
  const SpoolSettings& spool;
  std::optional<std::uint64_t> size_hint = {};
  std::optional<HoldRequest> hold = {};  // for the snapshot that each push commits
};

// Returns one outcome for each destination, in their order. A failure is logged when it happens if other pushes go on.
// Errors: kIo (no thread to read the source with).
Result<std::vector<Result<PushReport>>> push_to_each(CommandContext& context,
                                                     std::vector<PushDestination>& destinations, Source& source,
                                                     const PushWork& work);

}  // namespace drs
