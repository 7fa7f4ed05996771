// What sweeps have proven: reads their records (engine/format/verified.h), and says of each pack when it was last read
// and found intact. A record can only lack packs, never have too many: what may have escaped a sweep counts as
// unproven. Threads: one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/format/verified.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"

namespace drs {

// Of one pack. Times by the store's clock, or by that of the sweep's machine where that is earlier: the time at which
// its reading began, at the latest.
struct PackProof {
  WallNs read_ns = 0;     // its bytes have their digest; 0: not proven, or found damaged since
  WallNs decoded_ns = 0;  // and its blocks were decoded
  bool damaged = false;   // nothing later has shown it to be intact

  [[nodiscard]] WallNs at(ProofLevel level) const { return level == ProofLevel::kDigest ? read_ns : decoded_ns; }
};

struct RebuildProof {
  WallNs proven_ns = 0;
  bool well = false;
};

class Evidence {
 public:
  // Of no record. `now_ns`: what claims to be later, by more than an hour, is ignored.
  explicit Evidence(WallNs now_ns) : now_ns_(now_ns) {}
  // Lists and reads every record. What cannot be read proves nothing, and is in `unreadable`. Errors: the store's;
  // kUnavailable (records vanish in every list).
  static Result<Evidence> load(Repository& repository);
  static Result<Evidence> load(Repository& repository, WallNs now_ns);  // now by the store's clock

  // `stored_ns`: the store's time of the record's object; 0 if it is unknown. Returns false if a part of it is ignored.
  bool add(const Verified& record, WallNs stored_ns);
  // Time has passed: for a run that adds what it proves itself.
  void advance(WallNs now_ns) { now_ns_ = now_ns; }

  // For each of `packs`, which are sorted by name.
  [[nodiscard]] std::vector<PackProof> of(std::span<const PackInfo> packs) const;
  // The newest of a snapshot, by the document_identity of its manifest; null if it was never rebuilt.
  [[nodiscard]] const RebuildProof* rebuilt(const Digest& manifest) const;
  // When every snapshot was last found to have all it needs; 0: never, or something was missing since.
  [[nodiscard]] WallNs structure_ns() const { return structure_whole_ ? structure_ns_ : 0; }
  // When snapshots were last found to lack something; 0: never, or none did since.
  [[nodiscard]] WallNs structure_failed_ns() const { return structure_whole_ ? 0 : structure_ns_; }
  // How much was proven at the end of each sweep, oldest first; times corrected.
  [[nodiscard]] std::vector<CoverageMoment> moments() const;
  [[nodiscard]] WallNs newest_ns() const { return newest_ns_; }  // of all proofs; 0: there is none
  // ArcsRequest::bounds, at most 64: the newest.
  [[nodiscard]] std::vector<WallNs> bounds() const;
  // Of the objects that were read and of which nothing is ignored.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // Whether a joined record is newer than every other one: joining again would say the same.
  [[nodiscard]] bool is_joined() const { return newest_folded_ns_ != 0 && newest_folded_ns_ >= newest_single_ns_; }
  struct Unreadable {
    std::string name, problem;
    bool damaged = false;  // nobody can read it
  };
  [[nodiscard]] const std::vector<Unreadable>& unreadable() const { return unreadable_; }

  // The same evidence about `packs` and the manifests of `live`, as few records.
  [[nodiscard]] std::vector<Verified> folded(std::span<const PackInfo> packs, std::span<const Digest> live) const;

 private:
  struct Deciding;
  [[nodiscard]] std::vector<PackProof> judge(std::span<const PackInfo> packs, Deciding* deciding) const;
  [[nodiscard]] bool is_from_the_future(WallNs proven_ns) const;

  WallNs now_ns_ = 0;
  std::vector<VerifiedArc> arcs_;     // times corrected
  std::vector<DamagedPack> damaged_;  // times corrected
  std::unordered_map<Digest, RebuildProof, FixedBytesHash> rebuilt_;
  std::vector<CoverageMoment> moments_;
  WallNs structure_ns_ = 0, newest_ns_ = 0;
  bool structure_whole_ = false;
  WallNs newest_folded_ns_ = 0, newest_single_ns_ = 0;  // ends of records
  std::vector<std::string> names_;
  std::vector<Unreadable> unreadable_;
};

// Stores a record under a new name. `store`: an instance on the repository's objects. Errors: those of put_settled.
Result<void> put_record(const Repository& repository, ObjectStore& store, const Verified& record);

// Of a whole repository, or of one shard.
struct Coverage {
  std::uint64_t packs = 0, bytes = 0;  // that are not condemned
  std::uint64_t proven_packs = 0, proven_bytes = 0, decoded_bytes = 0;
  std::uint64_t damaged_packs = 0;
  std::uint64_t overdue_packs = 0;  // not proven, and not younger than the window
  WallNs oldest_unproven_ns = 0;    // the store's time of the oldest pack that is not proven; 0: all are, or unknown
  WallNs oldest_proof_ns = 0;       // of the proven ones

  [[nodiscard]] bool complete() const { return proven_packs == packs; }
};
// Proven: read and found intact at or after `since_ns`.
struct CoverageWindow {
  WallNs since_ns = 0, now_ns = 0;
};
Coverage coverage_of(std::span<const PackInfo> packs, std::span<const PackProof> proofs, const CoverageWindow& window);

}  // namespace drs
