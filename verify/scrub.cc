#include "verify/scrub.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/format/document.h"
#include "engine/format/envelope.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/format/slot.h"
#include "engine/repository/lost_config.h"
#include "engine/repository/parallel.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "verify/absent_objects.h"
#include "verify/check_memory.h"
#include "verify/damage_marks.h"
#include "verify/finding_list.h"
#include "verify/object_scan.h"
#include "verify/too_new.h"

namespace drs {
namespace {

// One object to check. Without its key as a string, because a repository may have millions of packs.
struct ScrubObject {
  ParsedName parsed;
  std::uint64_t bytes = 0;
};

bool is_named_by_digest(ObjectKind kind) {
  return kind == ObjectKind::kPack || kind == ObjectKind::kIndex;
}

std::size_t bytes_max(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kPack: return kPackBytesMax;
    case ObjectKind::kIndex: return kIndexBytesMax;
    case ObjectKind::kSlot: return kSlotBytesMax;
    default: return kDocumentBytesMax;
  }
}

// Checks a whole small object without a key. Returns the id of the repository that it names; marks name none.
Result<std::optional<Uuid>> check_document(const ParsedName& parsed, ByteView bytes) {
  if (!has_valid_trailing_digest(bytes)) {
    return Error(ErrorCode::kCorrupt,
                 "its " + std::to_string(bytes.size()) + " bytes do not match the SHA-256 at their end");
  }
  if (parsed.kind == ObjectKind::kDamaged) {
    DRS_ASSIGN_OR_RETURN(const DamagedMark mark, decode_damaged(bytes));
    if (mark.pack != parsed.digest || mark.id != parsed.uuid)
      return Error(ErrorCode::kCorrupt, "its content is that of " + damaged_name(mark.pack, mark.id));
    return std::optional<Uuid>();
  }
  if (parsed.kind == ObjectKind::kSlot) {
    DRS_ASSIGN_OR_RETURN(const Slot slot, decode_slot(bytes));
    if (slot_id(bytes) != parsed.uuid)
      return Error(ErrorCode::kCorrupt, "its digest begins with " + slot_id(bytes).hex() + ", expected its name");
    return std::optional<Uuid>(slot.repository);
  }
  const ObjectKind kind = parsed.kind == ObjectKind::kManifest ? kind_under_manifests(bytes) : parsed.kind;
  DRS_ASSIGN_OR_RETURN(const Uuid repository, peek_document(kind, bytes));
  return std::optional<Uuid>(repository);
}

class Scrub {
 public:
  Scrub(ObjectStore& store, const Clock& clock, const ScrubOptions& options, ProgressCounters& progress,
        CancelToken& cancel)
      : store_(store),
        options_(options),
        progress_(progress),
        cancel_(cancel),
        findings_(progress),
        marks_(findings_, clock, "scrub", options.read_only ? Marking::kReadOnly : Marking::kWritten) {}

  Result<ScrubReport> run();

 private:
  Result<void> list();
  Result<void> find_repository();
  Result<void> check(std::size_t number, ObjectStore& store, const ScanBuffers& buffers);
  Result<void> check_absent(ObjectStore& store, const ScanBuffers& buffers);
  ListedObject listed(std::size_t number, ObjectStore& store, const ScanBuffers& buffers);
  Result<void> read(const ScrubObject& object, const std::string& name, ObjectStore& store, const ScanBuffers& buffers);
  void report(const ScrubObject& object, const std::string& name, ObjectStore& store, const Error& error);
  // Both set `bytes` to the object's size once all of it was read.
  Result<void> check_digest(const ScrubObject& object, const std::string& name, ObjectStore& store,
                            const ScanBuffers& buffers, std::optional<std::uint64_t>& bytes);
  Result<void> check_small(const ScrubObject& object, const std::string& name, ObjectStore& store,
                           std::optional<std::uint64_t>& bytes);

  ObjectStore& store_;
  const ScrubOptions& options_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  FindingList findings_;
  DamageMarks marks_;
  ScrubReport report_;
  std::vector<ScrubObject> objects_;
  std::vector<ObjectInfo> mark_objects_;
  std::optional<Uuid> repository_;  // that the highest readable config names
  std::mutex mutex_;                // guards the next line while checks run
  std::uint64_t objects_read_ = 0, bytes_read_ = 0;
  AbsentObjects absent_;
};

Result<ScrubReport> Scrub::run() {
  DRS_RETURN_IF_ERROR(list());
  DRS_RETURN_IF_ERROR(find_repository());
  std::uint64_t largest_bytes = 0;
  std::uint64_t listed_bytes = 0;
  for (const ScrubObject& object : objects_) {
    largest_bytes = std::max(largest_bytes, object.bytes);
    // Objects that are listed with an impossible size are not read.
    listed_bytes += std::min<std::uint64_t>(object.bytes, bytes_max(object.parsed.kind));
  }
  progress_.total_bytes.store(listed_bytes, std::memory_order_relaxed);

  DRS_ASSIGN_OR_RETURN(const CheckMemory memory,
                       plan_check(CheckKind::kScrub, {.memory_bytes = options_.memory_bytes,
                                                      .threads = options_.threads,
                                                      .listed_objects = objects_.size(),
                                                      .largest_bytes = largest_bytes,
                                                      .operation_bytes = store_.operation_bytes()}));
  DRS_ASSIGN_OR_RETURN(const CheckBuffers buffers, CheckBuffers::map(memory));
  DRS_ASSIGN_OR_RETURN(const auto stores, worker_stores(store_, memory.workers));
  for (const auto& store : stores) store->register_memory(buffers.whole());
  DRS_RETURN_IF_ERROR(for_each_parallel(stores.size(), objects_.size(), [&](std::size_t worker, std::size_t object) {
    return check(object, *stores[worker], buffers.worker(worker).sweep);
  }));
  DRS_RETURN_IF_ERROR(check_absent(*stores.front(), buffers.worker(0).sweep));
  report_.objects = objects_read_;
  report_.bytes = bytes_read_;
  report_.findings = findings_.take();
  report_.marked = marks_.set_count();
  report_.unmarked = marks_.cleared_count();
  return std::move(report_);
}

Result<void> Scrub::list() {
  std::vector<std::string> occupied_folders;
  DRS_RETURN_IF_ERROR(store_.list("", [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (!parsed) {
      if (is_folder_name(info.key))
        occupied_folders.push_back(info.key);
      else
        ++report_.unknown_names;
      return {};
    }
    objects_.push_back({*parsed, info.size_bytes});
    if (parsed->kind == ObjectKind::kDamaged) mark_objects_.push_back(info);
    return {};
  }));
  for (const std::string& name : occupied_folders) {
    DRS_ASSIGN_OR_RETURN(const bool reported, check_occupied_folder(findings_, store_, name));
    if (!reported) ++report_.unknown_names;
  }
  DRS_ASSIGN_OR_RETURN(MarkedPacks marked, load_marks(store_, mark_objects_));
  marks_.know(std::move(marked));
  // Configs first; packs and index objects last, because they take most of the time.
  std::stable_sort(objects_.begin(), objects_.end(),
                   [](const ScrubObject& a, const ScrubObject& b) { return a.parsed.kind > b.parsed.kind; });
  return {};
}

Result<void> Scrub::find_repository() {
  std::optional<std::uint32_t> highest;
  bool any = false;
  for (const ScrubObject& object : objects_) {
    if (object.parsed.kind != ObjectKind::kConfig) continue;
    any = true;
    if (highest && object.parsed.number < *highest) continue;
    const auto bytes = get_document(store_, object_name(object.parsed), kDocumentBytesMax);
    if (!bytes.ok()) {
      if (!is_object_fault(bytes.error())) return bytes.error();
      continue;
    }
    const auto repository = peek_document(ObjectKind::kConfig, *bytes);
    if (!repository.ok()) continue;  // its own check reports it
    highest = object.parsed.number;
    repository_ = *repository;
  }
  if (any) return {};
  if (findings_.has_about(name_prefix(ObjectKind::kConfig))) return {};
  return no_repository_error(store_);
}

Result<void> Scrub::check(std::size_t number, ObjectStore& store, const ScanBuffers& buffers) {
  if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
  return absent_.check(number, listed(number, store, buffers));
}

Result<void> Scrub::check_absent(ObjectStore& store, const ScanBuffers& buffers) {
  return absent_.check_again(store, [&](std::size_t number) { return listed(number, store, buffers); });
}

ListedObject Scrub::listed(std::size_t number, ObjectStore& store, const ScanBuffers& buffers) {
  const ScrubObject& object = objects_[number];
  const std::string name = object_name(object.parsed);
  return {.name = name,
          .read = [this, &object, name, &store, &buffers] { return read(object, name, store, buffers); },
          .report = [this, &object, name, &store](const Error& error) { report(object, name, store, error); }};
}

Result<void> Scrub::read(const ScrubObject& object, const std::string& name, ObjectStore& store,
                         const ScanBuffers& buffers) {
  std::optional<std::uint64_t> bytes;
  auto checked = is_named_by_digest(object.parsed.kind)
                     ? read_again_if_damaged([&] { return check_digest(object, name, store, buffers, bytes); })
                     : check_small(object, name, store, bytes);
  // Only the marks of a scrub: verify can find damage in a pack whose digest is right, so only verify removes its
  // marks.
  if (checked.ok() && object.parsed.kind == ObjectKind::kPack) marks_.clear(store, object.parsed.digest, "scrub");
  const std::scoped_lock lock(mutex_);
  if (bytes) ++objects_read_;
  bytes_read_ += bytes.value_or(0);
  return checked;
}

void Scrub::report(const ScrubObject& object, const std::string& name, ObjectStore& store, const Error& error) {
  if (object.parsed.kind == ObjectKind::kDamaged) return report_bad_mark(findings_, name, error.message);
  if (object.parsed.kind == ObjectKind::kVerified) return report_bad_record(findings_, name, error.message);
  // A slot that is too new is a warning: opening a repository skips it, too.
  const bool passed_over = object.parsed.kind == ObjectKind::kSlot && severity_of(error) == Finding::Severity::kTooNew;
  findings_.report(passed_over ? Finding::Severity::kWarning : severity_of(error), name, error.message);
  if (object.parsed.kind == ObjectKind::kPack && is_lasting_damage(error))
    marks_.set(store, object.parsed.digest, error.message);
}

Result<void> Scrub::check_digest(const ScrubObject& object, const std::string& name, ObjectStore& store,
                                 const ScanBuffers& buffers, std::optional<std::uint64_t>& bytes) {
  if (object.bytes > bytes_max(object.parsed.kind)) {
    return Error(ErrorCode::kCorrupt, "it has " + std::to_string(object.bytes) + " bytes; at most " +
                                          std::to_string(bytes_max(object.parsed.kind)) + " are allowed");
  }
  ObjectScan sweep(store, buffers, progress_, cancel_);
  DRS_ASSIGN_OR_RETURN(const Digest digest, sweep.run(name, object.bytes));
  bytes = object.bytes;
  if (digest != object.parsed.digest) {
    return Error(ErrorCode::kCorrupt, "the SHA-256 of its " + std::to_string(object.bytes) + " bytes is " +
                                          digest.hex() + ", expected its name");
  }
  Bytes head(static_cast<std::size_t>(std::min<std::uint64_t>(object.bytes, kEnvelopeBytes)));
  DRS_RETURN_IF_ERROR(get_range(store, name, 0, head));
  const auto envelope = decode_envelope(head, object.parsed.kind);
  return envelope.ok() ? Result<void>() : Result<void>(envelope.error());
}

Result<void> Scrub::check_small(const ScrubObject& object, const std::string& name, ObjectStore& store,
                                std::optional<std::uint64_t>& bytes) {
  DRS_ASSIGN_OR_RETURN(const Bytes whole, get_document(store, name, bytes_max(object.parsed.kind)));
  bytes = whole.size();
  progress_.bytes.fetch_add(whole.size(), std::memory_order_relaxed);
  DRS_ASSIGN_OR_RETURN(const std::optional<Uuid> repository, check_document(object.parsed, whole));
  if (!repository || !repository_ || *repository == *repository_) return {};
  if (object.parsed.kind == ObjectKind::kSlot) {
    findings_.report(Finding::Severity::kWarning, name,
                     "the slot belongs to another repository (it was copied here, or an init left it that died): it "
                     "opens nothing and is ignored");
    return {};
  }
  return Error(ErrorCode::kCorrupt,
               "it belongs to repository " + repository->hex() + ", the config here to " + repository_->hex());
}

}  // namespace

Result<ScrubReport> scrub(ObjectStore& store, const Clock& clock, const ScrubOptions& options,
                          ProgressCounters& progress, CancelToken& cancel) {
  const auto started = clock.steady();
  DRS_ASSIGN_OR_RETURN(ScrubReport report, Scrub(store, clock, options, progress, cancel).run());
  report.elapsed = clock.steady() - started;
  return report;
}

}  // namespace drs
