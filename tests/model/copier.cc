// A copy of one snapshot, whose block 1 lies in P2 in the source, into the modelled repository: docs/FORMAT.md
// "Replicas".
#include "tests/model/writers.h"

namespace drs::model {
namespace {

// Steps of a copy besides those of every writer. `packs` of the copy: what it may use; later the pack that it uses.
constexpr std::uint8_t kPutCopied = kPutPack;
constexpr std::uint8_t kPutOwnSession = kPutIndex;
constexpr std::uint8_t kListAgain = 12;
constexpr std::uint8_t kReadAgain = 13;
constexpr std::uint8_t kLookForFence = 14;

constexpr const char* kActor = "copy ";

void use(const State& state, int pack, bool present, Steps& steps) {
  State next = state;
  next.writers[kCopy].packs = only(pack);
  next.writers[kCopy].step = present ? kPutOwnSession : kPutCopied;
  steps.add(next, kActor, present ? "finds its block in " : "needs to put ", pack_text(pack));
}

// The condemned packs are in `records_read`; lists packs and decides which pack will hold the block.
void list_packs(const Model& model, const State& state, Steps& steps) {
  const Set condemned = model.rules.copy_avoids_condemned ? state.writers[kCopy].packs : kNone;
  const Set usable = (state.packs & state.content) - (condemned | state.damaged);
  State next = state;
  next.writers[kCopy].saw_damage = state.damaged != kNone;
  for (int pack = 0; pack < kPacks; ++pack)
    if (usable.has(pack)) use(next, pack, true, steps);
  if (usable != kNone) return;
  if (!condemned.has(kP2)) return use(next, kP2, false, steps);
  if (!condemned.has(kCopied)) return use(next, kCopied, false, steps);
  next.sessions -= only(kLasting);
  end_writer(next, kCopy);
  steps.add(next, kActor, "finds all names condemned and ends");
}

void give_up(const State& state, const char* text, Steps& steps) {
  State next = state;
  next.sessions -= (only(kCopy) | only(kLasting));
  end_writer(next, kCopy);
  steps.add(next, kActor, text);
}

void look_again(const Model& model, const State& state, Steps& steps) {
  const Writer& writer = state.writers[kCopy];
  State next = state;
  Writer& after = next.writers[kCopy];
  after.records = kNone;
  if (writer.step == kListAgain) {
    after.records = state.records;
    after.step = kReadAgain;
    if (records_are_fixed(model)) return look_again(model, next, steps);
    return steps.add(next, kActor, "lists condemned again");
  }
  if (!(writer.records - state.records).empty() && model.rules.reads_vanished_again) {
    after.step = kListAgain;
    return steps.add(next, kActor, "misses a record that it has listed");
  }
  if ((distrusted(model, state, writer.records) & writer.packs) != kNone)
    return give_up(state, "reads that its pack is condemned, and ends", steps);
  after.step = model.rules.copy_checks_fence ? kLookForFence : std::uint8_t{kPutManifest};
  steps.add(next, kActor, "reads the records again");
}

void look_for_fence(const State& state, Steps& steps) {
  if (state.stored[kLasting] == kFence) return give_up(state, "finds its lasting session fenced", steps);
  State next = state;
  next.writers[kCopy].step = kPutManifest;
  steps.add(next, kActor, "finds its lasting session not fenced");
}

void put_manifest(const State& state, Steps& steps) {
  if (state.stored[kCopy] != kAbsent) return give_up(state, "finds its manifest's name fenced", steps);
  State next = state;
  store_manifest(next, kCopy, kBlock1);
  next.writers[kCopy].packs = kNone;
  next.writers[kCopy].step = kCheckRemoved;
  steps.add(next, kActor, "puts the manifest");
}

}  // namespace

void copy_steps(const Model& model, const State& state, Steps& steps) {
  const Writer& writer = state.writers[kCopy];
  State next = state;
  Writer& after = next.writers[kCopy];
  switch (writer.step) {
    case 0:
      next.sessions |= only(kLasting);
      after.step = kListRecords;
      return steps.add(next, kActor, "puts its lasting session object");
    case kListPacks: return list_packs(model, state, steps);
    case kPutCopied:
      next.packs |= writer.packs;
      after.step = kPutOwnSession;
      return steps.add(next, kActor, "puts ", pack_text(writer.packs.has(kP2) ? kP2 : kCopied));
    case kPutOwnSession:
      if (model.rules.copy_has_session) next.sessions |= only(kCopy);
      after.step = model.rules.copy_checks_again ? kListAgain : kLookForFence;
      return steps.add(next, kActor, "puts a session object of the manifest's name");
    case kListAgain:
    case kReadAgain: return look_again(model, state, steps);
    case kLookForFence: return look_for_fence(state, steps);
    case kPutManifest: return put_manifest(state, steps);
    case kCheckRemoved:
    case kListRetired:
    case kReadRetired: return check_commit(model, state, kCopy, steps);
    case kRemoveSession: return give_up(state, "removes its session objects", steps);
    case kEnded: return;
    default: list_steps(model, state, kCopy, kActor, steps);
  }
}

}  // namespace drs::model
