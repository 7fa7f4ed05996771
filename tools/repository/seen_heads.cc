#include "tools/repository/seen_heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "io/base/catch_thrown.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/selector_text.h"

namespace drs {
namespace {

std::string address_of_repository(CommandContext& context, const Repository& repository) {
  const auto place = repository_location(context.options);
  return place.ok() ? location_address(*place, context.cancel) : repository.store().name_for_messages();
}

}  // namespace

SeenHeads::SeenHeads(CommandContext& context, const Repository& repository, const RepositoryLocation& place)
    : context_(context),
      directory_(context.options.state_dir, repository.config().repository,
                 {location_address(place, context.cancel), repository.opened_with_slot()}) {}

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
        "{}; its head stays in {}: find out who removed the snapshot, copy it back with `drstream copy`, or remove "
        "that file if you give it up",
        *lost, directory_.path_of(seen));
  }
  const auto stored = catch_thrown([&] {
    known.settled = settled_by(manifest, before, shown);
    return directory_.store(head, known);
  });
  if (!stored.ok())
    context_.log.warn("the head could not be recorded in --state-dir: {}; keep the one printed",
                      stored.error().message);
}

void SeenHeads::record_late(Repository& repository, const Head& head, const Manifest& manifest) {
  const auto before = load(manifest.stream);
  const auto catalog = drs::load_snapshots(repository, manifest.stream);
  if (catalog.ok())
    record(head, manifest, before, *catalog);
  else
    context_.log.warn("the head is not recorded, since it cannot be compared: {}; keep the one printed",
                      catalog.error().message);
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
  Listing now;
  return load_snapshots(repository, now);
}

Result<SnapshotCatalog> SeenHeads::load_snapshots(Repository& repository, Listing& listing) const {
  const HeadDirectory::Recorded& seen = recorded();
  auto catalog = drs::load_snapshots(repository, std::nullopt, listing);
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
  for (const std::string& warning : clock_warnings(catalog, selector, context_.clock.wall_ns(), *found))
    context_.log.warn("{}", warning);
  if (const auto warning = later_time_warning(catalog, selector, *found)) context_.log.warn("{}", *warning);
  if (const auto warning = anomaly_warning(catalog, selector, *found)) context_.log.warn("{}", *warning);
  return found;
}

std::vector<std::string> SeenHeads::warn_of(const SnapshotCatalog& catalog) const {
  std::vector<std::string> warnings;
  const auto warn = [&](std::string text) {
    context_.log.warn("{}", text);
    warnings.push_back(std::move(text));
  };
  for (std::size_t i = 0; i < std::min(catalog.broken.size(), kBrokenManifestsNamedMax); ++i) {
    const BrokenManifest& broken = catalog.broken[i];
    warn(fmt::format("{} {}: {}", broken.name,
                     broken.error.code == ErrorCode::kFormatTooNew ? "was written by a newer drstream" : "is damaged",
                     broken.error.message));
  }
  if (catalog.broken.size() > kBrokenManifestsNamedMax)
    warn(fmt::format("{} manifests and removal marks cannot be read; not all are named", catalog.broken.size()));
  std::vector<std::string> lost = warn_of_lost(catalog, [](const std::string&) { return true; }).warnings;
  std::move(lost.begin(), lost.end(), std::back_inserter(warnings));
  return warnings;
}

std::function<std::vector<std::string>(const SnapshotCatalog&)> SeenHeads::lost_finder() const {
  for (const Error& error : recorded().unreadable) context_.log.warn("{}", error.message);
  return [this](const SnapshotCatalog& catalog) {
    std::vector<std::string> texts;
    for (const LostSnapshot& lost : directory_.lost_snapshots(recorded().heads, catalog))
      texts.push_back(lost.problem + "; if this loss is accepted, remove that file: until then its data stays");
    return texts;
  };
}

SeenHeads::Lost SeenHeads::warn_of_lost(const SnapshotCatalog& catalog,
                                        const std::function<bool(const std::string&)>& concerns) const {
  Lost lost;
  const auto warn = [&](std::string text, bool is_lost) {
    if (is_lost) ++lost.snapshots;
    context_.log.warn("{}", text);
    lost.warnings.push_back(std::move(text));
  };
  for (const MissingManifest& missing : catalog.missing)
    if (concerns(missing.stream)) warn(missing.problem(), true);
  const HeadDirectory::Recorded& seen = recorded();
  for (const Error& error : seen.unreadable) warn(error.message, false);
  for (const LostSnapshot& snapshot : directory_.lost_snapshots(seen.heads, catalog))
    if (concerns(snapshot.stream)) warn(snapshot.problem, true);
  for (const Head& head : seen.elsewhere) {
    if (!concerns(head.stream)) continue;
    if (const auto problem = check_head(head, catalog)) warn(elsewhere_text(head, *problem), false);
  }
  return lost;
}

Result<std::set<std::string>> SeenHeads::match(const SnapshotCatalog& catalog, const std::string& pattern) const {
  std::set<std::string> known;
  for (const Snapshot& snapshot : catalog.live) known.insert(snapshot.manifest.stream);
  const bool is_live =
      std::any_of(known.begin(), known.end(), [&](const std::string& one) { return stream_matches(pattern, one); });
  for (const BrokenManifest& broken : catalog.broken) known.insert(broken.stream);
  for (const MissingManifest& missing : catalog.missing) known.insert(missing.stream);
  for (const Head& head : recorded().heads) known.insert(head.stream);
  std::erase_if(known, [&](const std::string& one) { return one.empty() || !stream_matches(pattern, one); });
  if (is_live) return known;
  for (const std::string& stream : known) {
    const auto found = find(catalog, stream + "@latest");
    if (!found.ok() && found.error().code != ErrorCode::kNoSnapshot) return found.error();
  }
  DRS_RETURN_IF_ERROR(select_snapshot(catalog, {pattern, pattern, std::nullopt}));
  return known;
}

std::string elsewhere_text(const Head& head, const std::string& problem) {
  return fmt::format("{}; it was seen at {}, of which this may be a replica that lags behind", problem, head.place);
}

}  // namespace drs
