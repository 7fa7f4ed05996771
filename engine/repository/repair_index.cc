#include "engine/repository/repair_index.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/index.h"
#include "engine/format/names.h"
#include "engine/repository/block_index.h"
#include "engine/repository/index_writer.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/read_again.h"
#include "engine/repository/write_session.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/object_store.h"

namespace drs {
namespace {

constexpr std::size_t kReadBytes = 1 * kMiB;
// A session without a heartbeat for this long has ended.
constexpr std::chrono::hours kSilence{72};
// Enough to read the tables of most packs in one read.
constexpr std::size_t kTailReadBytes = 256 * kKiB;

using DigestSet = std::unordered_set<Digest, FixedBytesHash>;

// An existing index object.
struct ExistingIndex {
  ObjectInfo object;
  bool damaged = false;
  bool stale = false;    // names a missing pack
  IndexSummary summary;  // empty if it cannot be read
};

struct OpenedIndex {
  IndexSummary summary;
  ObjectOpener opener;
};

class IndexRepair {
 public:
  IndexRepair(Repository& repository, const RepairIndexOptions& options, ProgressCounters& progress,
              CancelToken& cancel)
      : repository_(repository),
        store_(repository.store()),
        options_(options),
        progress_(progress),
        cancel_(cancel),
        writer_(repository, repository.store()) {}

  Result<RepairIndexReport> run() {
    // The session object provides the store's time. It also protects new index objects against a concurrent repair.
    DRS_ASSIGN_OR_RETURN(session_,
                         WriteSession::begin(repository_, store_, {.stream = "repair index", .host = {}}, {}));
    DRS_RETURN_IF_ERROR(read_existing());
    DRS_RETURN_IF_ERROR(load_running());
    DRS_ASSIGN_OR_RETURN(packs_, PackCatalog::load(repository_, PackCatalog::UnreadableCondemned::kPassOver));
    progress_.total_bytes = packs_.total_bytes();
    judge_existing();
    for (const PackInfo& pack : packs_.packs()) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      if (!covered_.contains(pack.name)) DRS_RETURN_IF_ERROR(add_pack(pack));
      progress_.bytes += std::min<std::uint64_t>(pack.bytes, kPackBytesMax);
    }
    DRS_RETURN_IF_ERROR(writer_.flush());
    report_.index_objects_written = writer_.written().size();
    DRS_RETURN_IF_ERROR(remove_superseded());
    return std::move(report_);
  }

 private:
  Result<void> check_cancelled() const {
    if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "rebuilding the index was cancelled");
    return {};
  }

  void problem(std::string text) {
    report_.problems.push_back(std::move(text));
    ++progress_.problems;
  }

  // An object that vanishes before it is read was replaced by another repair: lists again until every listed object was
  // read.
  Result<void> read_existing() {
    std::unordered_set<std::string> known;
    ListingRounds rounds;
    for (int attempt = 0; attempt < kListAttempts; ++attempt) {
      DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, repository_.list(ObjectKind::kIndex));
      for (const ObjectInfo& info : objects) {
        if (known.contains(info.key)) continue;
        DRS_RETURN_IF_ERROR(check_cancelled());
        DRS_ASSIGN_OR_RETURN(auto existing, read_one(info, rounds));
        if (!existing) continue;
        known.insert(info.key);
        existing_.push_back(*std::move(existing));
      }
      if (!rounds.next()) return {};
    }
    return Error(
        ErrorCode::kUnavailable,
        "objects under index/ vanish each time they are listed: run the command again when the other repair has ended");
  }

  // Returns nothing if the object has vanished. One that is listed again but still missing counts as damaged.
  Result<std::optional<ExistingIndex>> read_one(const ObjectInfo& info, ListingRounds& rounds) {
    ExistingIndex existing;
    existing.object = info;
    auto intact = read_again_if_damaged([&] { return check_digest(info, index_name); });
    const auto opened = read_again_if_damaged([&] { return open_index(info); });
    if (opened.ok())
      existing.summary = opened->summary;
    else if (intact.ok())
      intact = opened.error();
    if (intact.ok()) return std::optional(std::move(existing));
    if (!is_object_fault(intact.error())) return intact.error();
    if (is_absent(intact.error())) {
      if (!rounds.is_absent_again(info.key)) return std::optional<ExistingIndex>();
      intact = listed_but_absent().with_context(info.key);
    }
    problem(intact.error().message);
    existing.damaged = true;
    return std::optional(std::move(existing));
  }

  // Finds the running sessions, by the store's clock alone: compares the time of their last heartbeats with that of our
  // own session object, which was just put. If the store gives no times, all sessions count as running. Sessions are
  // listed after the index: the session of a listed index object has either ended, with all its objects stored, or is
  // found here.
  Result<void> load_running() {
    DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> sessions, repository_.list(ObjectKind::kSession));
    std::unordered_map<Uuid, std::pair<std::int64_t, std::int64_t>, FixedBytesHash>
        times;  // of the session's first and last object
    for (const ObjectInfo& info : sessions) {
      const auto at = times.try_emplace(parse_name(info.key)->uuid, info.modified_ns, info.modified_ns).first;
      at->second.first = std::min(at->second.first, info.modified_ns);
      at->second.second = std::max(at->second.second, info.modified_ns);
    }
    const auto own = times.find(session_->id());
    const std::int64_t now = own == times.end() ? 0 : own->second.second;
    for (const auto& [session, range] : times) {
      if (session == session_->id()) continue;
      if (range.second != 0 && std::chrono::nanoseconds(now - range.second) > kSilence) continue;  // it died
      running_.insert(session);
      running_since_ns_ = std::min(running_since_ns_, range.first);
    }
    return {};
  }

  // Whether a running session may have published the object. The blocks name the session of a push. For an object that
  // cannot be read, or that a copy has put, only the time is known.
  [[nodiscard]] bool may_be_of_running(const ExistingIndex& existing) const {
    if (running_.empty()) return false;
    const auto& sessions = existing.summary.sessions;
    return existing.object.modified_ns >= running_since_ns_ ||
           std::any_of(sessions.begin(), sessions.end(),
                       [&](const IndexSession& session) { return running_.contains(session.session); });
  }

  // Drops from existing_ the index objects that stay whatever the packs contain.
  void judge_existing() {
    std::erase_if(existing_, [&](ExistingIndex& existing) {
      for (const IndexedPack& pack : existing.summary.packs) {
        const PackInfo* const there = packs_.find(pack.name);
        if (there == nullptr || there->bytes != pack.bytes) existing.stale = true;
      }
      const bool good = !existing.damaged && !existing.stale;
      const bool kept = may_be_of_running(existing);
      if (good && (kept || !options_.all)) {
        for (const IndexedPack& pack : existing.summary.packs) covered_.insert(pack.name);
        return true;
      }
      if (kept)
        problem(existing.object.key +
                " is kept: a running push or copy may have put it; run `drstream repair index` again when "
                "that has ended");
      return kept;
    });
  }

  // Reads the whole object: a damaged chunk list counts, too.
  Result<void> check_digest(const ObjectInfo& info, std::string (*name_of)(const Digest&)) {
    Sha256 sha256;
    Bytes piece;
    for (std::uint64_t at = 0; at < info.size_bytes; at += piece.size()) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, info.size_bytes - at)));
      DRS_RETURN_IF_ERROR(get_range(store_, info.key, at, piece));
      sha256.update(piece);
    }
    if (name_of(sha256.finish()) == info.key) return {};
    return Error(ErrorCode::kCorrupt, info.key + ": the SHA-256 of its bytes differs from its name");
  }

  Result<OpenedIndex> open_index(const ObjectInfo& info) {
    auto opened = [&]() -> Result<OpenedIndex> {
      if (info.size_bytes < kEnvelopeBytes + kIndexFooterBytes || info.size_bytes > kIndexBytesMax) {
        return Error(ErrorCode::kCorrupt, "an index object cannot have " + std::to_string(info.size_bytes) + " bytes");
      }
      Bytes head(kEnvelopeBytes);
      DRS_RETURN_IF_ERROR(get_range(store_, info.key, 0, head));
      DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(head, ObjectKind::kIndex));
      DRS_ASSIGN_OR_RETURN(ObjectOpener opener,
                           ObjectOpener::make(repository_.keys(), envelope, "", repository_.crypto()));
      Bytes last(kIndexFooterBytes);
      DRS_RETURN_IF_ERROR(get_range(store_, info.key, info.size_bytes - last.size(), last));
      DRS_ASSIGN_OR_RETURN(const IndexFooter footer, decode_index_footer(last, info.size_bytes));
      Bytes sealed(footer.summary_sealed_bytes);
      DRS_RETURN_IF_ERROR(get_range(store_, info.key, info.size_bytes - last.size() - sealed.size(), sealed));
      DRS_ASSIGN_OR_RETURN(const Bytes plain, opener.open(summary_label(footer), sealed));
      DRS_ASSIGN_OR_RETURN(IndexSummary summary, decode_index_summary(plain, info.size_bytes));
      return OpenedIndex{std::move(summary), std::move(opener)};
    }();
    if (!opened.ok()) return std::move(opened).error().with_context(info.key);
    return opened;
  }

  Result<void> add_pack(const PackInfo& pack) {
    auto contents = read_again_if_damaged([&] { return read_pack(pack); });
    if (!contents.ok() && is_too_new(contents.error())) {
      // A flipped bit in the version looks the same: check the digest.
      const auto intact = read_again_if_damaged([&] {
        return check_digest({pack_name(pack.name), pack.bytes}, pack_name);
      });
      if (!intact.ok()) contents = intact.error();
    }
    if (!contents.ok()) {
      if (!is_object_fault(contents.error())) return contents.error();
      if (is_absent(contents.error())) {
        const std::string name = pack_name(pack.name);
        DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(store_, std::span(&name, 1)));
        if (listed.empty()) return {};  // a prune has deleted it
        contents = listed_but_absent().with_context(name);
      }
      ++report_.packs_unreadable;
      problem(contents.error().message);
      unreadable_.insert(pack.name);
      return {};
    }
    ++report_.packs_read;
    return writer_.add(*std::move(contents));
  }

  Result<PackContents> read_pack(const PackInfo& pack) {
    const std::string name = pack_name(pack.name);
    auto contents = [&]() -> Result<PackContents> {
      if (pack.bytes < kEnvelopeBytes + kPackFooterBytes || pack.bytes > kPackBytesMax) {
        return Error(ErrorCode::kCorrupt, "a pack cannot have " + std::to_string(pack.bytes) + " bytes");
      }
      Bytes head(kEnvelopeBytes);
      DRS_RETURN_IF_ERROR(get_range(store_, name, 0, head));
      DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(head, ObjectKind::kPack));
      Bytes tail(static_cast<std::size_t>(std::min<std::uint64_t>(kTailReadBytes, pack.bytes)));
      DRS_RETURN_IF_ERROR(get_range(store_, name, pack.bytes - tail.size(), tail));
      DRS_ASSIGN_OR_RETURN(const PackFooter footer, decode_pack_footer(tail, pack.bytes, repository_.config().chunks));
      if (tail.size() < footer.table_sealed_bytes + kPackFooterBytes) {
        tail.resize(footer.table_sealed_bytes + kPackFooterBytes);
        DRS_RETURN_IF_ERROR(get_range(store_, name, pack.bytes - tail.size(), tail));
      }
      PackContents read;
      read.pack = {pack.name, pack.bytes, envelope.salt};
      DRS_ASSIGN_OR_RETURN(read.blocks, open_pack_table(repository_.keys(), repository_.crypto(), head, tail,
                                                        pack.bytes, repository_.config().chunks));
      return read;
    }();
    if (!contents.ok()) return std::move(contents).error().with_context(name);
    return contents;
  }

  // To be called when all new index objects are durable.
  Result<void> remove_superseded() {
    if (existing_.empty()) return {};
    DRS_ASSIGN_OR_RETURN(const CondemnedList condemned,
                         PackCatalog::load_condemned(repository_, PackCatalog::UnreadableCondemned::kPassOver));
    condemned_.insert(condemned.packs.begin(), condemned.packs.end());
    DRS_ASSIGN_OR_RETURN(const auto index, BlockIndex::load(repository_, store_, packs_, {}));
    std::vector<ObjectKey> to_remove;
    for (const ExistingIndex& existing : existing_) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      const std::string& name = existing.object.key;
      const std::vector<IndexedPack>& packs = existing.summary.packs;
      const auto unread = std::find_if(packs.begin(), packs.end(),
                                       [&](const IndexedPack& pack) { return unreadable_.contains(pack.name); });
      if (unread != packs.end()) {
        problem(name + " is kept: it holds the only list of the blocks in " + pack_name(unread->name) +
                ", whose table cannot be read");
        continue;
      }
      if (existing.stale) {
        const auto lost = read_again_if_damaged([&] { return lost_blocks(*index, existing.object); });
        if (!lost.ok() && !is_object_fault(lost.error())) return lost.error();
        if (lost.ok() && *lost > 0) {
          problem(
              name + " is kept: " + std::to_string(*lost) +
              " of its blocks are in no pack any more, and it holds the only list of the chunks from which they can be "
              "rebuilt");
          continue;
        }
      }
      to_remove.push_back(name);
    }
    DRS_RETURN_IF_ERROR(check_cancelled());
    DRS_RETURN_IF_ERROR(store_.remove_all(to_remove));
    report_.index_objects_removed += to_remove.size();
    return {};
  }

  // Counts the blocks of an index object that are in no pack any more.
  Result<std::uint64_t> lost_blocks(BlockIndex& index, const ObjectInfo& object) {
    DRS_ASSIGN_OR_RETURN(const OpenedIndex opened, open_index(object));
    const IndexSummary& summary = opened.summary;
    Bytes sealed(summary.directory_sealed_bytes);
    DRS_RETURN_IF_ERROR(get_range(store_, object.key, summary.directory_offset_bytes, sealed));
    DRS_ASSIGN_OR_RETURN(const Bytes plain, opened.opener.open(directory_label(summary), sealed));
    DRS_ASSIGN_OR_RETURN(const auto directory, decode_index_directory(plain, summary));
    std::uint64_t lost = 0;
    for (const DirectoryEntry& entry : directory) {
      const Digest& pack = summary.packs[entry.pack].name;
      // A prune deletes a condemned pack only when nothing needs it.
      if (packs_.find(pack) != nullptr || condemned_.contains(pack)) continue;
      const auto location = index.locate(entry.record.id);
      if (!location.ok() && !is_object_fault(location.error())) return location.error();
      if (!location.ok()) ++lost;
    }
    return lost;
  }

  Repository& repository_;
  ObjectStore& store_;
  const RepairIndexOptions options_;
  ProgressCounters& progress_;
  const CancelToken& cancel_;
  RepairIndexReport report_;
  std::unique_ptr<WriteSession> session_;
  PackCatalog packs_;
  std::vector<ExistingIndex> existing_;  // candidates for removal
  std::unordered_set<Uuid, FixedBytesHash> running_;
  std::int64_t running_since_ns_ = std::numeric_limits<std::int64_t>::max();
  DigestSet covered_;  // packs covered by index objects that stay
  DigestSet unreadable_;
  DigestSet condemned_;  // packs that a record names
  IndexWriter writer_;
};

}  // namespace

Result<RepairIndexReport> repair_index(Repository& repository, const RepairIndexOptions& options,
                                       ProgressCounters& progress, CancelToken& cancel) {
  return IndexRepair(repository, options, progress, cancel).run();
}

}  // namespace drs
