#include "tools/commands/push_spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/format/names.h"
#include "engine/format/object_rules.h"
#include "engine/pipeline/push/reused_objects.h"
#include "tools/cli/child_command.h"
#include "tools/cli/option_builder.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/repository_directory.h"

namespace drs {
namespace {

constexpr std::uint64_t kSizeBytesDefault = 10ULL * 1024 * kMiB;

// The size limit of the spool: at most nine tenths of the free space.
Result<std::uint64_t> spool_size(CommandContext& context, const SpoolDirectory& directory,
                                 const SpoolSettings& settings) {
  DRS_ASSIGN_OR_RETURN(const std::uint64_t free_bytes, directory.free_space_bytes());
  const std::uint64_t usable_bytes = free_bytes - free_bytes / 10;
  const std::uint64_t wanted_bytes = settings.size_bytes.value_or(kSizeBytesDefault);
  if (settings.size_bytes && usable_bytes < wanted_bytes)
    context.log.warn(
        "--spool {} has {} free: at most {} of this push wait there, not the {} of --spool-size; once that is full the "
        "push waits for the store",
        settings.directory, format_size(free_bytes), format_size(usable_bytes), format_size(wanted_bytes));
  return std::min(wanted_bytes, usable_bytes);
}

}  // namespace

void declare_spool_options(CLI::App& app, SpoolSettings& settings) {
  as_setting(add_text(app, "--spool", settings.directory, "DIR",
                      "Let packs wait in DIR on this machine until they are stored, so that a slow store does not slow "
                      "down the source; once the source has ended, `drstream resume` can finish an interrupted push"));
  as_setting(add_parsed(app, "--spool-size", settings.size_bytes, parse_size, "SIZE",
                        "With --spool: how much of a push may wait there (default 10GiB)"));
}

Result<void> check_spool(const SpoolSettings& settings) {
  const std::string& directory = settings.directory;
  if (settings.size_bytes && directory.empty())
    return Error(ErrorCode::kUsage, "--spool-size needs --spool DIR, where the packs wait");
  const std::string repository = directory.empty() ? std::string() : enclosing_repository(directory);
  if (repository.empty()) return {};
  return Error(ErrorCode::kUsage,
               fmt::format("--spool {} lies in the repository {}: a spool needs a directory of its own, on this "
                           "machine, outside of every repository",
                           directory, repository));
}

SpoolRuling spool_ruling(std::string_view key) {
  const auto parsed = parse_name(key);
  if (!parsed) return {};
  switch (object_rule(parsed->kind).order) {
    case WriteOrder::kAtOnce: break;
    case WriteOrder::kAnyOrder: return {SpoolRole::kAnyOrder, parsed->digest};
    case WriteOrder::kAfterOthers: return {SpoolRole::kInOrder, parsed->digest};
    case WriteOrder::kCommit: return {SpoolRole::kCommit, std::nullopt};
  }
  return {};
}

std::string spool_owner(const Repository& repository, const RepositoryLocation& place, CancelToken& cancel) {
  return repository.config().repository.hex() + " " + location_address(place, cancel);
}

PushSpool::PushSpool(CommandContext& context, const RepositoryLocation& place, const std::string& directory,
                     SpoolEntry entry)
    : context_(context),
      resume_(join_words({"drstream", "resume", "-r", hide_key_digits(place.given), "--spool", directory})),
      entry_(std::move(entry)) {}

Result<std::unique_ptr<PushSpool>> PushSpool::begin(CommandContext& context, Repository& repository,
                                                    const RepositoryLocation& place, const SpoolSettings& settings,
                                                    std::size_t upload_bytes, ProgressCounters& counters) {
  DRS_ASSIGN_OR_RETURN(SpoolDirectory directory, SpoolDirectory::make(settings.directory));
  SpoolOptions options;
  options.rule = spool_ruling;
  options.secure = secure_for_commit;
  DRS_ASSIGN_OR_RETURN(options.size_bytes_max, spool_size(context, directory, settings));
  options.upload_bytes_max = upload_bytes;
  options.progress = &counters;
  options.on_recorded = [&context, &counters] {
    context.log.info("the stream is complete and spooled; {} of {} objects are stored, the rest is on its way",
                     counters.uploaded_objects.load(), counters.spooled_objects.load());
  };
  options.on_uploads_stopped = [&context](const Error& error) {
    context.log.warn("uploads have stopped for now: {}; the push continues while its spool has room", error.message);
  };
  DRS_ASSIGN_OR_RETURN(SpoolEntry entry,
                       directory.create(spool_owner(repository, place, context.cancel), context.cancel));
  std::unique_ptr<PushSpool> spool(new PushSpool(context, place, settings.directory, std::move(entry)));
  DRS_ASSIGN_OR_RETURN(auto objects, spool->entry_->open_objects(context.options.io));
  DRS_ASSIGN_OR_RETURN(spool->spool_, Spool::open(repository.store(), std::move(objects), std::move(options)));
  DRS_ASSIGN_OR_RETURN(auto store, repository.store().clone());
  DRS_ASSIGN_OR_RETURN(store, spool->spool_->wrap(std::move(store)));
  repository.replace_store(std::move(store));
  spool->cancelling_.reset(
      new CancelToken::Registration(context.cancel.on_cancel([inner = spool->spool_.get()] { inner->cancel(); })));
  context.log.debug("spooled in {}", spool->entry_->path());
  return spool;
}

PushSpool::~PushSpool() {
  cancelling_.reset();
  const bool recorded = spool_ && !spool_->recorded().empty();
  spool_.reset();
  if (recorded)
    entry_.reset();  // only `resume` gives a recorded stream up
  else
    end_entry();
}

void PushSpool::end_entry() {
  if (!entry_) return;
  const auto ended = entry_->end();
  if (!ended.ok())
    context_.log.warn("{} could not be removed: {}; it is no longer needed", entry_->path(), ended.error().message);
  entry_.reset();
}

Result<void> PushSpool::end_with(const Error* failed) {
  const bool recorded = !spool_->recorded().empty();
  cancelling_.reset();
  spool_.reset();
  // Whatever ended it: only `resume` may give up a recorded stream, for an authentic verdict.
  if (failed != nullptr && recorded) {
    Error error = *failed;
    error.message += fmt::format(
        "; the whole stream is kept in {}: `{}` commits it once the store can be written, without its producer",
        entry_->path(), resume_);
    next_step_ = fmt::format(
        "run `{}`, with the options for the store and its key that this push had; it needs no producer", resume_);
    entry_.reset();  // releases its lock
    return error;
  }
  end_entry();
  if (failed != nullptr) return *failed;
  return {};
}

}  // namespace drs
