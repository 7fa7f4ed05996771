// A pull or verify of one snapshot, and the repairs of the index and of packs.
#include "tests/model/steps.h"

namespace drs::model {
namespace {

enum ReaderStep : std::uint8_t {
  kReadManifests,
  kReadMarks,
  kListRetired,
  kReadRetired,
  kReadPacks,
  kReadIndex,
  kLocate,
  kCheckManifest,
  kCheckMarks,
  kCheckListRetired,
  kCheckRetired,
  kReadEnded = 15
};
constexpr const char* kReader = "reader ";

void end_reader(State& state) {
  state.reader = {};
  state.reader.step = kReadEnded;
}

// Lists manifests, removal marks, retired objects, in this order, and chooses a live manifest.
void read_live(const Model& model, const State& state, Steps& steps) {
  State next = state;
  Reader& r = next.reader;
  const bool retired_first = model.scenario.retire && !model.rules.retired_last;
  switch (r.step) {
    case kReadManifests:
      for (int name = 0; name < kNames; ++name)
        if (is_manifest(state.stored[name])) r.names |= only(name);
      r.dead = r.names - live_names(state);
      r.step = retired_first ? kListRetired : kReadMarks;
      return steps.add(next, kReader, "lists manifests");
    case kReadMarks:
      r.names -= state.removed;
      r.step = !retired_first && model.scenario.retire && model.rules.readers_read_retired ? kListRetired : kReadPacks;
      return steps.add(next, kReader, "lists removal marks");
    case kListRetired:
      r.numbers = state.retired;
      r.step = kReadRetired;
      return steps.add(next, kReader, "lists retired");
    default: break;
  }
  const bool vanished = !(r.numbers - state.retired).empty();
  for (int number = 0; number < kRetiredMax; ++number)
    if ((r.numbers & state.retired).has(number)) r.names -= state.retires[number];
  r.numbers = kNone;
  r.step = vanished && model.rules.vanished_retired_again ? kListRetired : retired_first ? kReadMarks : kReadPacks;
  steps.add(next, kReader, "reads the retired objects");
}

void list_packs(const Model& model, const State& state, Steps& steps) {
  for (int name = 0; name < kNames; ++name) {
    if (!state.reader.names.has(name)) continue;
    State next = state;
    Reader& r = next.reader;
    r.name = static_cast<std::uint8_t>(name);
    next.misled = r.dead.has(name);
    r.names = r.dead = kNone;
    r.packs = state.packs;
    r.step = model.scenario.index ? kReadIndex : kLocate;
    steps.add(next, kReader, "lists packs, to read ", name_text(name));
  }
  State next = state;
  end_reader(next);
  steps.add(next, kReader, "ends");
}

void begin_again(State& state) {
  state.reader = {};
}

// Reads the block from a pack that it has listed and located. Packs that no listed index object names are located by
// their tables.
void locate(const Model& model, const State& state, Steps& steps) {
  const Reader& reader = state.reader;
  State next = state;
  const std::uint8_t stored = state.stored[reader.name];
  if (!is_manifest(stored)) {
    begin_again(next);
    return steps.add(next, kReader, "misses its manifest, and begins again");
  }
  Set located = reader.packs & packs_with(state, stored - kBlock0);
  if (model.scenario.index) {
    if (!(reader.index - state.index).empty() && model.rules.vanished_index_again) {
      begin_again(next);
      return steps.add(next, kReader, "misses an index object that it has listed, and begins again");
    }
    Set claimed, readable;
    for (int index = 0; index < kIndexes; ++index) {
      if (!reader.index.has(index)) continue;
      claimed |= state.claims[index];
      if (state.index.has(index)) readable |= state.claims[index];
    }
    located &= readable | ((kEvery - claimed) - model.scenario.tables_lost);
  }
  if ((located & (state.packs - state.damaged)) != kNone) {
    end_reader(next);
    return steps.add(next, kReader, "reads its block");
  }
  if (!(located - state.packs).empty() && model.rules.reader_lists_again) {
    begin_again(next);
    return steps.add(next, kReader, "misses a pack that it has listed, and begins again");
  }
  next.reader.packs = next.reader.index = kNone;
  if (!model.rules.reader_checks_live) {
    next.alarm = true;
    return steps.add(next, kReader, "reports damage");
  }
  next.reader.step = kCheckManifest;
  steps.add(next, kReader, "finds its block nowhere");
}

// Before it reports damage: is the manifest still live?
void check_live(const Model& model, const State& state, Steps& steps) {
  State next = state;
  Reader& r = next.reader;
  const auto live_at = [&](bool live, std::uint8_t step, const char* text) {
    r.step = step;
    if (!live) end_reader(next);
    steps.add(next, kReader, text);
  };
  const auto report = [&](bool live, const char* text) {
    next.alarm = live;
    live_at(false, 0, live ? "reports damage" : text);
  };
  const bool reads_retired = model.scenario.retire && model.rules.readers_read_retired;
  switch (r.step) {
    case kCheckManifest: return live_at(is_manifest(state.stored[r.name]), kCheckMarks, "looks for its manifest again");
    case kCheckMarks: {
      const bool live = !state.removed.has(r.name);
      if (!reads_retired) return report(live, "finds its manifest marked as removed");
      return live_at(live, kCheckListRetired, "looks for its removal mark again");
    }
    case kCheckListRetired: r.numbers = state.retired; return live_at(true, kCheckRetired, "lists retired again");
    default: break;
  }
  if (!(r.numbers - state.retired).empty() && model.rules.vanished_retired_again)
    return live_at(true, kCheckListRetired, "misses a retired object that it has listed");
  Set names;
  for (int number = 0; number < kRetiredMax; ++number)
    if ((r.numbers & state.retired).has(number)) names |= state.retires[number];
  report(!names.has(r.name), "finds its manifest retired");
}

}  // namespace

void reader_steps(const Model& model, const State& state, Steps& steps) {
  switch (state.reader.step) {
    case kReadManifests:
    case kReadMarks:
    case kListRetired:
    case kReadRetired: return read_live(model, state, steps);
    case kReadPacks: return list_packs(model, state, steps);
    case kReadIndex: {
      State next = state;
      next.reader.index = state.index;
      next.reader.step = kLocate;
      return steps.add(next, kReader, "lists index objects");
    }
    case kLocate: return locate(model, state, steps);
    case kReadEnded: return;
    default: return check_live(model, state, steps);
  }
}

}  // namespace drs::model
