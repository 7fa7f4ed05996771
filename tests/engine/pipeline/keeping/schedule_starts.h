// The repositories with which schedules begin.
#pragma once

#include <algorithm>
#include <memory>

#include "tests/engine/pipeline/keeping/schedule_scene.h"
#include "tests/engine/pipeline/push/push_fixture.h"

namespace drs::test {

inline constexpr std::size_t kSmallBytes = 100'000;

inline SharedBytes noise_of(std::uint32_t seed, std::size_t bytes = kSmallBytes) {
  return std::make_shared<const Bytes>(random_stream(seed, bytes));
}

// A snapshot that was removed, and another one.
struct DeadStart {
  DeadStart() {
    removed = start.push("a", noise_of(1));
    kept = start.push("b", noise_of(2));
    start.remove(removed);
  }
  Start start;
  StoredStream removed, kept;
};

// The same, and a prune has condemned what is dead.
struct CondemnedStart : DeadStart {
  CondemnedStart() { start.prune(prune_at_once()); }
};

// The same, and the pack of what is live is damaged.
struct RottenStart {
  RottenStart() {
    removed = start.push("a", noise_of(1));
    kept = start.push("b", noise_of(2, 3 * kSmallBytes));
    start.remove(removed);
    start.rot_table();
  }
  Start start;
  StoredStream removed, kept;
};

// Mostly dead packs with live blocks.
struct PartlyDeadStart {
  PartlyDeadStart() {
    const SharedBytes whole = noise_of(1, 2'300'000);
    removed = start.push("a", whole);
    kept = start.push("b", std::make_shared<const Bytes>(whole->begin(), whole->begin() + 700'000));
    start.remove(removed);
  }
  Start start;
  StoredStream removed, kept;
};

inline PruneOptions without_patience() {
  PruneOptions options = prune_at_once();
  options.silence = {};
  return options;
}

}  // namespace drs::test
