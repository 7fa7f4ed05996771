#include "tools/commands/push_destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/pipeline/copy/same_place.h"
#include "io/base/catch_thrown.h"
#include "io/broadcast.h"
#include "io/helper_thread.h"
#include "io/watched_source.h"
#include "tools/cli/child_command.h"
#include "tools/cli/identity.h"
#include "tools/commands/holding.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

// A file is read ahead by 4 slots; another 4 buffer data for the repositories.
constexpr std::size_t kSlotBytes = 1 * kMiB;
constexpr std::size_t kRingBytes = 8 * kSlotBytes;

Result<std::vector<PushDestination>> parse_places(const GlobalOptions& options, const std::vector<std::string>& also) {
  std::vector<PushDestination> destinations(1 + also.size());
  DRS_ASSIGN_OR_RETURN(destinations[0].place, repository_location(options, also));
  for (std::size_t i = 0; i < also.size(); ++i) {
    RepositoryLocation& place = destinations[i + 1].place;
    DRS_ASSIGN_OR_RETURN(place, parse_repository_location(also[i], options));
  }
  for (PushDestination& destination : destinations) {
    const RepositoryLocation& place = destination.place;
    // Buckets of one name may lie on two servers.
    const auto namesakes = std::count_if(destinations.begin(), destinations.end(),
                                         [&](const PushDestination& other) { return other.place.name == place.name; });
    destination.title = namesakes > 1 && !place.cloud.endpoint_url.empty()
                            ? fmt::format("{} at {}", place.name, place.cloud.endpoint_url)
                            : place.name;
  }
  return destinations;
}

// Failures that all repositories share, or that the summary at the end reports.
bool is_reported_at_the_end(ErrorCode code) {
  return code == ErrorCode::kSource || code == ErrorCode::kCancelled || code == ErrorCode::kLimitMissed;
}

// Two places with one repository id. Under two names of one place the operator would believe that there are two copies.
// In a repository and its replica each push commits a manifest of its own, and the two disagree from then on: no copy
// makes them equal again.
Result<void> refuse_one_repository_twice(const std::vector<PushDestination>& destinations, const std::string& stream) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const PushDestination& first = destinations[j];
      const PushDestination& second = destinations[i];
      if (first.repository->config().repository != second.repository->config().repository) continue;
      auto same = is_same_place(*first.repository, *second.repository, {.stream = stream, .host = host_name()});
      if (!same.ok()) return std::move(same).error().with_context(first.title);
      if (*same)
        return Error(ErrorCode::kUsage, fmt::format("--also {}: this repository is named twice; '{}' is the same place",
                                                    second.title, first.title));
      return Error(
          ErrorCode::kUsage,
          fmt::format("--also {}: it is a replica of {} (both are repository {}), and pushes to both would make them "
                      "differ for ever; push to one of them, then bring the other up to date: drstream copy "
                      "--from-repository {} -r {}",
                      second.title, first.title, first.repository->config().repository.hex(),
                      shell_word(first.place.given), shell_word(second.place.given)));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<PushDestination>> open_push_destinations(CommandContext& context,
                                                            const std::vector<std::string>& also,
                                                            const std::string& stream) {
  DRS_ASSIGN_OR_RETURN(auto destinations, parse_places(context.options, also));
  std::optional<Secret> shared;  // what the key options give, taken once
  for (PushDestination& destination : destinations) {
    const auto open = [&]() -> Result<std::unique_ptr<Repository>> {
      std::optional<Secret> own;
      std::optional<Secret>& secret = destination.place.key.any() ? own : shared;
      if (!secret) {
        DRS_ASSIGN_OR_RETURN(secret, take_secret(context, destination.place));
      }
      return open_repository(context, destination.place, *secret);
    };
    auto repository = open();
    if (!repository.ok() && destinations.size() > 1)
      return std::move(repository).error().with_context(destination.title);
    DRS_ASSIGN_OR_RETURN(destination.repository, std::move(repository));
    destination.seen = std::make_shared<SeenHeads>(context, *destination.repository, destination.place);
    destination.heads_before = destination.seen->load(stream);
  }
  DRS_RETURN_IF_ERROR(refuse_one_repository_twice(destinations, stream));
  return destinations;
}

Result<PushShares> plan_push_shares(const GlobalOptions& options, const std::vector<PushDestination>& destinations,
                                    CompressionChoice compression, bool spooled) {
  PushShares shares;
  const std::size_t count = destinations.size();
  DRS_ASSIGN_OR_RETURN(std::size_t memory_bytes, options.memory_bytes());
  std::size_t threads = options.thread_count();
  if (count > 1) {
    shares.ring_bytes = kRingBytes;
    const std::size_t needed_bytes = count * kMemoryBytesMin + kRingBytes;
    if (memory_bytes < needed_bytes)
      return Error(
          ErrorCode::kUsage,
          fmt::format("--memory {} MiB is too little for a push to {} repositories: at least {} MiB are "
                      "needed, {} MiB for each and {} MiB for what they all read from",
                      memory_bytes / kMiB, count, needed_bytes / kMiB, kMemoryBytesMin / kMiB, kRingBytes / kMiB));
    memory_bytes = (memory_bytes - kRingBytes) / count;
    threads = (threads + count - 1) / count;
  }
  for (const PushDestination& destination : destinations) {
    const std::string prefix = count > 1 ? fmt::format("{}, one of {} repositories: ", destination.title, count) : "";
    StoreNeeds needs = needs_of(destination.repository->store());
    needs.spooled = spooled;
    auto plan = plan_push({.memory_bytes = memory_bytes, .threads = threads}, compression, needs);
    if (!plan.ok()) return Error(plan.error().code, prefix + plan.error().message);
    if (!plan->notice.empty()) shares.notices.push_back(prefix + plan->notice);
    shares.pushes.push_back(*std::move(plan));
  }
  return shares;
}

Result<PushBuffers> PushBuffers::map(const PushShares& shares) {
  PushBuffers buffers;
  for (const PushMemory& memory : shares.pushes) {
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
    buffers.pushes_.push_back(std::move(arena));
  }
  if (shares.ring_bytes > 0) {
    DRS_ASSIGN_OR_RETURN(buffers.ring_, BufferArena::map(shares.ring_bytes));
  }
  return buffers;
}

namespace {

// The pushes of one command, each into its destination. All references outlive it.
class Pushes {
 public:
  Pushes(CommandContext& context, std::vector<PushDestination>& destinations, const PushWork& work,
         std::vector<ProgressCounters>& counters)
      : context_(context), destinations_(destinations), work_(work), counters_(counters) {}

  Result<PushReport> push_one(std::size_t i, Source& from) {
    PushDestination& to = destinations_[i];
    PushOptions own = work_.options;
    for (const Head& head : to.heads_before) own.sequence_seen = std::max(own.sequence_seen, head.sequence);
    const PushMemory& memory = work_.shares.pushes[i];
    const auto run_push = [&] {
      // Caught here: a spool entry that holds the whole stream outlives what a library throws.
      return catch_thrown([&] {
        return push(*to.repository, from, own, {memory, work_.buffers.push(i)}, {counters_[i], context_.cancel});
      });
    };
    if (work_.spool.directory.empty()) {
      auto report = run_push();
      if (!report.ok()) to.next_step = next_step_of_denied(report.error(), to.place);
      hold(to, report);
      return report;
    }
    auto spool = PushSpool::begin(context_, *to.repository, to.place, work_.spool, memory.spool_bytes, counters_[i]);
    if (spool.ok()) {
      auto report = (*spool)->end(run_push());
      to.next_step = (*spool)->next_step();
      hold(to, report);
      return report;
    }
    from.cancel();
    return std::move(spool).error();
  }

  // One outcome for each destination.
  std::vector<Result<PushReport>> push_all(Broadcast& broadcast) {
    std::vector<Result<PushReport>> results(destinations_.size(), Error(ErrorCode::kInternal, "the push did not run"));
    std::atomic<std::size_t> running = destinations_.size();
    const auto run = [&](std::size_t i) {
      results[i] = catch_thrown([&] { return push_one(i, broadcast.branch(i)); });
      const bool others_run = running.fetch_sub(1) > 1;
      if (others_run && !results[i].ok() && !is_reported_at_the_end(results[i].error().code))
        context_.log.warn("{}: {}; the push to the other repositories continues", destinations_[i].title,
                          results[i].error().message);
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      auto thread = start_helper_thread([&run, i] { run(i); }, must_not_throw);
      if (thread.ok()) {
        threads.push_back(*std::move(thread));
      } else {
        results[i] = std::move(thread).error();
        broadcast.branch(i).cancel();
        --running;
      }
    }
    for (std::thread& thread : threads) thread.join();
    return results;
  }

 private:
  // A hold needs the digest of the manifest, so it follows the commit. Until then the snapshot is the newest of its
  // stream, which no rule drops.
  void hold(PushDestination& to, const Result<PushReport>& report) {
    if (!work_.hold || !report.ok()) return;
    HoldRequest request = *work_.hold;
    request.manifest_name = report->manifest_name;
    request.manifest_digest = report->manifest_digest;
    to.hold = catch_thrown([&] { return put_hold(*to.repository, request); });
    if (to.hold->ok()) return warn_of_shorter_hold(context_, request, **to.hold);
    const std::string id = report->manifest.session.hex();
    to.hold = std::move(*to.hold).error().with_context("snapshot " + id + " is committed, but it is not held");
    to.next_step = "run `drstream hold " + id + "`";
  }

  CommandContext& context_;
  std::vector<PushDestination>& destinations_;
  const PushWork& work_;
  std::vector<ProgressCounters>& counters_;
};

}  // namespace

Result<std::vector<Result<PushReport>>> push_to_each(CommandContext& context,
                                                     std::vector<PushDestination>& destinations, Source& source,
                                                     const PushWork& work) {
  std::vector<ProgressCounters> counters(destinations.size());
  ProgressOptions progress = progress_options(context, "push");
  progress.size_bytes = source.size_hint_bytes();
  progress.size_hint = work.size_hint;
  const ProgressReporter reporter(progress, counters, context.console, context.clock);
  WatchedSource watched(source, counters.front().waits_for_producer);
  Pushes pushes(context, destinations, work, counters);
  if (!work.buffers.has_ring()) {
    std::vector<Result<PushReport>> results;
    results.push_back(pushes.push_one(0, watched));
    return results;
  }
  DRS_ASSIGN_OR_RETURN(const auto broadcast, Broadcast::start(watched, {.ring = work.buffers.source_memory(),
                                                                        .slot_bytes = kSlotBytes,
                                                                        .branches = destinations.size()}));
  return pushes.push_all(*broadcast);
}

}  // namespace drs
