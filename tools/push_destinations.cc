#include "tools/push_destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/pipeline/same_place.h"
#include "io/broadcast.h"
#include "io/catch_thrown.h"
#include "io/helper_thread.h"
#include "io/watched_source.h"
#include "tools/host_name.h"
#include "tools/open_repository.h"
#include "tools/seen_heads.h"

namespace drs {
namespace {

// A file is read ahead by 4 slots; as much again lies before the repositories.
constexpr std::size_t kSlotBytes = 1 * kMiB;
constexpr std::size_t kRingBytes = 8 * kSlotBytes;

Result<std::vector<PushDestination>> parse_places(const GlobalOptions& options, const std::vector<std::string>& also) {
  std::vector<PushDestination> destinations(1 + also.size());
  DRS_ASSIGN_OR_RETURN(destinations[0].place, repository_place(options));
  for (std::size_t i = 0; i < also.size(); ++i) {
    RepositoryPlace& place = destinations[i + 1].place;
    DRS_ASSIGN_OR_RETURN(place, parse_repository_place(also[i], options));
  }
  for (PushDestination& destination : destinations) {
    const RepositoryPlace& place = destination.place;
    // Buckets of one name may lie on two servers.
    const auto namesakes = std::count_if(destinations.begin(), destinations.end(),
                                         [&](const PushDestination& other) { return other.place.name == place.name; });
    destination.title = namesakes > 1 && !place.cloud.endpoint_url.empty()
                            ? fmt::format("{} at {}", place.name, place.cloud.endpoint_url)
                            : place.name;
  }
  return destinations;
}

// Failures that all repositories share, or that the end tells anyhow.
bool is_told_at_the_end(ErrorCode code) {
  return code == ErrorCode::kSource || code == ErrorCode::kCancelled || code == ErrorCode::kLimitMissed;
}

// One repository under two names would be believed to hold two copies.
Result<void> refuse_one_place_twice(const std::vector<PushDestination>& destinations, const std::string& stream) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      auto same = is_same_place(*destinations[j].repository, *destinations[i].repository,
                                {.stream = stream, .host = host_name()});
      if (!same.ok()) return std::move(same).error().with_context(destinations[j].title);
      if (*same)
        return Error{ErrorCode::kUsage, fmt::format("--also {}: this repository is named twice; '{}' is the same place",
                                                    destinations[i].title, destinations[j].title)};
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
  DRS_RETURN_IF_ERROR(refuse_one_place_twice(destinations, stream));
  return destinations;
}

Result<PushShares> plan_push_shares(const GlobalOptions& options, const std::vector<PushDestination>& destinations,
                                    CompressionChoice compression, bool spooled) {
  PushShares shares;
  const std::size_t count = destinations.size();
  auto memory_bytes = static_cast<std::size_t>(options.memory_bytes);
  std::size_t threads = options.thread_count();
  if (count > 1) {
    shares.ring_bytes = kRingBytes;
    const std::size_t needed_bytes = count * kMemoryBytesMin + kRingBytes;
    if (memory_bytes < needed_bytes)
      return Error{
          ErrorCode::kUsage,
          fmt::format("--memory {} MiB is too little for a push to {} repositories: at least {} MiB are "
                      "needed, {} MiB for each and {} MiB for what they all read from",
                      memory_bytes / kMiB, count, needed_bytes / kMiB, kMemoryBytesMin / kMiB, kRingBytes / kMiB)};
    memory_bytes = (memory_bytes - kRingBytes) / count;
    threads = (threads + count - 1) / count;
  }
  for (const PushDestination& destination : destinations) {
    const std::string prefix = count > 1 ? fmt::format("{}, one of {} repositories: ", destination.title, count) : "";
    StoreNeeds needs = needs_of(destination.repository->store());
    needs.spooled = spooled;
    auto plan = plan_push(memory_bytes, threads, compression, needs);
    if (!plan.ok()) return Error{plan.error().code, prefix + plan.error().message};
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

Result<std::vector<Result<PushReport>>> push_to_each(CommandContext& context,
                                                     std::vector<PushDestination>& destinations, Source& source,
                                                     const PushOptions& options, const PushShares& shares,
                                                     PushBuffers& buffers, const SpoolSettings& spool_settings,
                                                     std::optional<std::uint64_t> size_hint) {
  std::vector<ProgressCounters> counters(destinations.size());
  ProgressOptions progress = progress_options(context, "push");
  progress.size_bytes = source.size_hint_bytes();
  progress.size_hint = size_hint;
  const ProgressReporter reporter(progress, counters, context.console, context.clock);
  WatchedSource watched(source, counters.front().waits_for_producer);
  const auto push_one = [&](std::size_t i, Source& from) -> Result<PushReport> {
    PushDestination& to = destinations[i];
    const PushMemory& memory = shares.pushes[i];
    PushOptions own = options;
    for (const Head& head : to.heads_before) own.sequence_seen = std::max(own.sequence_seen, head.sequence);
    const auto run_push = [&] {
      // Caught here: a spool entry that holds the whole stream outlives what a library throws.
      return catch_thrown(
          [&] { return push(*to.repository, from, own, memory, buffers.push(i), counters[i], context.cancel); });
    };
    if (spool_settings.directory.empty()) return run_push();
    auto spool = PushSpool::begin(context, *to.repository, to.place, spool_settings, memory.spool_bytes, counters[i]);
    if (spool.ok()) {
      auto report = (*spool)->end(run_push());
      to.next_step = (*spool)->next_step();
      return report;
    }
    from.cancel();
    return std::move(spool).error();
  };
  std::vector<Result<PushReport>> results;
  if (!buffers.has_ring()) {
    results.push_back(push_one(0, watched));
    return results;
  }

  DRS_ASSIGN_OR_RETURN(const auto broadcast, Broadcast::start(watched, {.ring = buffers.source_memory(),
                                                                        .slot_bytes = kSlotBytes,
                                                                        .branches = destinations.size()}));
  results.assign(destinations.size(), Error{ErrorCode::kInternal, "the push did not run"});
  std::atomic<std::size_t> running = destinations.size();
  const auto run = [&](std::size_t i) {
    results[i] = catch_thrown([&] { return push_one(i, broadcast->branch(i)); });
    const bool others_run = running.fetch_sub(1) > 1;
    if (others_run && !results[i].ok() && !is_told_at_the_end(results[i].error().code))
      context.log.warn("{}: {}; the push to the other repositories goes on", destinations[i].title,
                       results[i].error().message);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    auto thread = start_helper_thread([&run, i] { run(i); }, must_not_throw);
    if (thread.ok()) {
      threads.push_back(*std::move(thread));
    } else {
      results[i] = std::move(thread).error();
      broadcast->branch(i).cancel();
      --running;
    }
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

}  // namespace drs
