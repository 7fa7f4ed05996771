#include "tools/seen_heads.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/catch_thrown.h"
#include "tools/place_address.h"
#include "tools/selector_text.h"

namespace drs {
namespace {

std::string address_of_repository(CommandContext& context, const Repository& repository) {
  const auto place = repository_place(context.options);
  return place.ok() ? place_address(*place, context.cancel) : repository.store().name_for_messages();
}

}  // namespace

SeenHeads::SeenHeads(CommandContext& context, const Repository& repository, const RepositoryPlace& place)
    : context_(context),
      directory_(context.options.state_dir, repository.config().repository,
                 {place_address(place, context.cancel), repository.opened_with_slot()}) {}

SeenHeads::SeenHeads(CommandContext& context, const Repository& repository)
    : context_(context),
      directory_(context.options.state_dir, repository.config().repository,
                 {address_of_repository(context, repository), repository.opened_with_slot()}) {}

std::vector<Head> SeenHeads::load(const std::string& stream) const {
  auto heads = directory_.load(stream);
  if (heads.ok()) return *std::move(heads);
  context_.log.warn("{}", heads.error().message);
  return {};
}

void SeenHeads::record(const Head& head, const Manifest& manifest, const std::vector<Head>& before,
                       const SnapshotCatalog& shown) {
  HeadDirectory::Known known;
  for (const Head& seen : before) {
    const auto lost = check_head(seen, shown);
    if (!lost) continue;
    known.lost.insert(seen.manifest_name);
    context_.log.warn(
        "{}; its head stays in {}: find out who removed the snapshot, bring it back with `drstream copy`, or, if it "
        "is to be given up, remove that file",
        *lost, directory_.path_of(seen));
  }
  const auto stored = catch_thrown([&] {
    known.settled = settled_by(manifest, before, shown);
    return directory_.store(head, known);
  });
  if (!stored.ok())
    context_.log.warn("the head could not be remembered in --state-dir: {}; keep the one printed",
                      stored.error().message);
}

const HeadDirectory::Recorded& SeenHeads::recorded() const {
  if (recorded_) return *recorded_;
  recorded_.emplace();
  if (auto loaded = directory_.load_all(); loaded.ok())
    recorded_ = *std::move(loaded);
  else
    recorded_->unreadable.push_back(std::move(loaded).error());
  return *recorded_;
}

Result<SnapshotCatalog> SeenHeads::load_snapshots(Repository& repository) const {
  const HeadDirectory::Recorded& seen = recorded();
  auto catalog = drs::load_snapshots(repository);
  if (!catalog.ok() || directory_.lost_snapshots(seen.heads, *catalog).empty()) return catalog;
  return drs::load_snapshots(repository);
}

Result<const Snapshot*> SeenHeads::find(const SnapshotCatalog& catalog, const std::string& selector) const {
  const HeadDirectory::Recorded& seen = recorded();
  for (const Error& error : seen.unreadable) context_.log.warn("{}", error.message);
  const std::vector<LostSnapshot> lost = directory_.lost_snapshots(seen.heads, catalog);
  DRS_ASSIGN_OR_RETURN(const Snapshot* const found, find_snapshot(catalog, selector, context_.clock.wall_ns(), lost));
  for (const Head& head : seen.elsewhere) {
    if (head.stream != found->manifest.stream || head.sequence <= found->manifest.sequence) continue;
    if (const auto problem = check_head(head, catalog)) context_.log.warn("{}", elsewhere_text(head, *problem));
  }
  if (const auto warning = later_time_warning(catalog, selector, *found)) context_.log.warn("{}", *warning);
  if (const auto warning = anomaly_warning(catalog, selector, *found)) context_.log.warn("{}", *warning);
  return found;
}

std::size_t SeenHeads::warn_of(const SnapshotCatalog& catalog) const {
  std::size_t count = 0;
  const auto warn = [&](const std::string& text) {
    ++count;
    context_.log.warn("{}", text);
  };
  for (std::size_t i = 0; i < std::min(catalog.broken.size(), kBrokenManifestsNamedMax); ++i) {
    const BrokenManifest& broken = catalog.broken[i];
    warn(fmt::format("{} {}: {}", broken.name,
                     broken.error.code == ErrorCode::kFormatTooNew ? "was written by a newer drstream" : "is damaged",
                     broken.error.message));
  }
  if (catalog.broken.size() > kBrokenManifestsNamedMax) {
    count += catalog.broken.size() - kBrokenManifestsNamedMax;
    context_.log.warn("{} manifests and removal marks cannot be read; not all are named", catalog.broken.size());
  }
  for (const MissingManifest& missing : catalog.missing) warn(missing.problem());
  const HeadDirectory::Recorded& seen = recorded();
  for (const Error& error : seen.unreadable) warn(error.message);
  for (const LostSnapshot& lost : directory_.lost_snapshots(seen.heads, catalog)) warn(lost.problem);
  for (const Head& head : seen.elsewhere)
    if (const auto problem = check_head(head, catalog)) warn(elsewhere_text(head, *problem));
  return count;
}

std::string elsewhere_text(const Head& head, const std::string& problem) {
  return fmt::format("{}; it was seen at {}, of which this may be a replica that lags behind", problem, head.place);
}

}  // namespace drs
