#include "engine/pipeline/keeping/live_data.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/format/recipe.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/parallel.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr std::size_t kManifestsAtOnce = 256;
constexpr std::size_t kReadersMax = 16;
constexpr std::size_t kPartsAtOnce = 64;  // at most 1 MiB each

// Collects the blocks of one set of lists. If an object has vanished, another set is needed: `vanished`. What is
// missing in two sets of lists, is lost: `absent` has what was missing before. A set is read to its end, so that two
// sets show everything that is lost.
class LiveCollector {
 public:
  LiveCollector(Repository& repository, LiveData& data, std::unordered_set<std::string>& absent,
                const RunControl& control)
      : repository_(repository), data_(data), absent_(absent), control_(control) {}

  Result<void> open() {
    DRS_ASSIGN_OR_RETURN(stores_, parallel_stores(repository_.store(), kReadersMax));
    for (const auto& store : stores_) {
      DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository_, *store));
      readers_.push_back(std::move(reader));
    }
    return {};
  }

  Result<void> add_manifests(std::span<const ObjectInfo> manifests) {
    for (std::size_t at = 0; at < manifests.size(); at += kManifestsAtOnce) {
      const auto some = manifests.subspan(at, std::min(kManifestsAtOnce, manifests.size() - at));
      std::vector<Part> parts;
      DRS_RETURN_IF_ERROR(get_documents(repository_.store(), some, kDocumentBytesMax,
                                        [&](std::size_t place, Result<Bytes> object) -> Result<void> {
                                          return take_manifest(some[place].key, std::move(object), parts);
                                        }));
      DRS_RETURN_IF_ERROR(add_parts(parts));
    }
    return {};
  }

  bool vanished = false;

 private:
  struct Part {
    RecipePartRef ref;
    std::string manifest;
  };

  Result<void> take_manifest(const std::string& name, Result<Bytes> object, std::vector<Part>& parts) {
    if (!object.ok() && is_absent(object.error())) {
      if (absent_.insert(name).second) {
        vanished = true;  // another prune has deleted it, behind its mark
        return {};
      }
      object = listed_but_absent();
    }
    auto opened =
        object.ok() ? open_manifest_object(repository_.keys(), name, *object) : Result<ManifestObject>(object.error());
    if (!opened.ok() && !is_object_fault(opened.error())) return opened.error();
    if (!opened.ok()) {
      if (is_given_up(name, object)) return {};
      data_.problems.push_back(name + ": " + opened.error().message);
      return {};
    }
    const auto* const manifest = std::get_if<Manifest>(&*opened);
    if (manifest == nullptr) {
      // In a replica, the fence of a copy of a snapshot that was removed later: it needs nothing.
      std::erase(data_.protected_removed, name);
      return {};
    }
    for (const ManifestStream& stream : manifest->streams)
      for (const RecipePartRef& ref : stream.parts)
        if (data_.blocks.add(ref.block)) parts.push_back({ref, name});
    return {};
  }

  // Whether a forget has given up the damaged manifest as it is: its mark has the digest of these very bytes. Then
  // `unforget` cannot bring it back, so it needs nothing.
  [[nodiscard]] bool is_given_up(const std::string& name, const Result<Bytes>& object) const {
    const Digest digest = sha256(object.ok() ? ByteView(*object) : ByteView());
    return std::ranges::any_of(data_.snapshots.removed, [&](const Removal& removal) {
      return removal.manifest_name == name && removal.manifest_digest == digest;
    });
  }

  Result<void> add_parts(const std::vector<Part>& parts) {
    for (std::size_t at = 0; at < parts.size(); at += kPartsAtOnce) {
      if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "cancelled while reading recipes");
      DRS_RETURN_IF_ERROR(read_parts(std::span(parts).subspan(at, std::min(kPartsAtOnce, parts.size() - at))));
    }
    return {};
  }

  // Locates each part, which uses the index from one thread, and then reads them in parallel.
  Result<void> read_parts(std::span<const Part> parts) {
    std::vector<BlockId> blocks;
    for (const Part& part : parts) blocks.push_back(part.ref.block);
    DRS_RETURN_IF_ERROR(data_.index->read_ahead(blocks));
    std::vector<Result<BlockLocation>> places;
    for (const Part& part : parts) places.push_back(data_.index->locate(part.ref.block));
    // Only the blocks: the runs of a part may take ten times its encoded bytes.
    std::vector<std::optional<Result<std::vector<BlockId>>>> read(parts.size());
    DRS_RETURN_IF_ERROR(
        for_each_parallel(readers_.size(), parts.size(), [&](std::size_t worker, std::size_t i) -> Result<void> {
          if (!places[i].ok()) return {};
          auto part = readers_[worker].read_recipe_part_at(*places[i], parts[i].ref);
          read[i] = part.ok() ? Result(std::move(part->blocks)) : Result<std::vector<BlockId>>(part.error());
          return {};
        }));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Error* error = nullptr;
      if (!places[i].ok())
        error = &places[i].error();
      else if (!(*read[i]).ok())
        error = &read[i]->error();
      if (error == nullptr) {
        for (const BlockId& block : **read[i]) data_.blocks.add(block);
        continue;
      }
      if (!is_object_fault(*error)) return *error;
      // Its pack may have been deleted, behind a move; or the index object that names it.
      const bool first = is_absent(*error) && absent_.insert(to_string(parts[i].ref.block)).second;
      if (first || data_.index->vanished()) vanished = true;
      data_.problems.push_back(parts[i].manifest + ": its recipe cannot be read: " + error->message);
    }
    return {};
  }

  Repository& repository_;
  LiveData& data_;
  std::unordered_set<std::string>& absent_;
  const RunControl& control_;
  std::vector<std::unique_ptr<ObjectStore>> stores_;
  std::vector<BlockReader> readers_;
};

// What the lists of snapshots leave open.
void add_problems_of_lists(LiveData& data) {
  for (const BrokenManifest& broken : data.snapshots.broken) {
    if (parse_name(broken.name)->kind != ObjectKind::kManifest) continue;  // a mark that hides nothing
    data.problems.push_back(broken.name + ": " + broken.error.message);
  }
  for (const MissingManifest& missing : data.snapshots.missing) data.problems.push_back(missing.problem());
  std::unordered_set<std::string_view> known;
  for (const Snapshot& snapshot : data.snapshots.live) known.insert(snapshot.name);
  for (const Removal& removal : data.snapshots.removed) known.insert(removal.manifest_name);
  for (const BrokenManifest& broken : data.snapshots.broken) known.insert(broken.name);
  for (const auto& [manifest, hold] : data.holds)
    if (!known.contains(manifest))
      data.problems.push_back(manifest +
                              " is held, but gone without a mark of its removal: a copy of the repository may have it "
                              "(`drstream copy`); to give it up, `drstream hold --release " +
                              parse_name(manifest)->uuid.hex() + "`");
}

// The manifests that are live, or removed and protected. Sets `vanished` if one of the live ones is not listed any
// more.
Result<std::vector<ObjectInfo>> manifests_to_read(Repository& repository, LiveData& data,
                                                  const LiveDataOptions& options, bool& vanished) {
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository.list(ObjectKind::kManifest));
  std::unordered_map<std::string_view, const ObjectInfo*> by_name;
  for (const ObjectInfo& info : listed) by_name.emplace(info.key, &info);
  std::vector<ObjectInfo> wanted;
  for (const Snapshot& snapshot : data.snapshots.live) {
    const auto there = by_name.find(snapshot.name);
    if (there == by_name.end())
      vanished = true;
    else
      wanted.push_back(*there->second);
  }
  for (const Removal& removal : data.snapshots.removed) {
    const bool young = removal.stored_ns == 0 || options.now_ns - removal.stored_ns <= options.undo.count();
    const bool undoable = options.undo.count() > 0 && young;
    if (!undoable && !data.holds.contains(removal.manifest_name)) continue;
    const auto there = by_name.find(removal.manifest_name);
    if (there == by_name.end()) continue;  // an earlier prune has deleted it
    data.protected_removed.push_back(removal.manifest_name);
    wanted.push_back(*there->second);
  }
  return wanted;
}

// Returns nothing if objects have vanished.
Result<std::optional<LiveData>> load_once(Repository& repository, const LiveDataOptions& options,
                                          std::unordered_set<std::string>& absent, const RunControl& control) {
  LiveData data;
  DRS_ASSIGN_OR_RETURN(data.snapshots, load_snapshots(repository));
  DRS_ASSIGN_OR_RETURN(data.holds, load_holds(repository, options.now_ns));
  add_problems_of_lists(data);
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load(repository));
  data.packs = std::make_unique<PackCatalog>(std::move(packs));
  DRS_ASSIGN_OR_RETURN(data.index,
                       BlockIndex::load(repository, repository.store(), *data.packs, {options.index_cache_bytes}));
  LiveCollector collector(repository, data, absent, control);
  DRS_RETURN_IF_ERROR(collector.open());
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> manifests,
                       manifests_to_read(repository, data, options, collector.vanished));
  if (!collector.vanished) DRS_RETURN_IF_ERROR(collector.add_manifests(manifests));
  if (collector.vanished || data.index->vanished()) return std::optional<LiveData>();
  return std::optional(std::move(data));
}

}  // namespace

Result<LiveData> load_live_data(Repository& repository, const LiveDataOptions& options, const RunControl& control) {
  std::unordered_set<std::string> absent;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    DRS_ASSIGN_OR_RETURN(auto data, load_once(repository, options, absent, control));
    if (data) return *std::move(data);
  }
  return Error(ErrorCode::kUnavailable,
               "objects of this repository vanish each time they are listed: run the command again when other prunes "
               "and repairs of it have ended");
}

}  // namespace drs
