// Packs a state into as few bits as its scenario needs, so that many states fit into memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/model/state.h"

namespace drs::model {

constexpr int kWordsMax = 12;
using Key = std::array<std::uint32_t, kWordsMax>;  // the first `words` of them

class Packing {
 public:
  explicit Packing(const Scenario& scenario);
  [[nodiscard]] int words() const { return words_; }
  [[nodiscard]] Key pack(const State& state) const;
  [[nodiscard]] State unpack(const std::uint32_t* words) const;

 private:
  // Maps a set to one of fewer bits that holds only the numbers in use.
  struct Squeeze {
    explicit Squeeze(Set used);
    int bits = 0;
    std::array<Set, 256> narrow{};
    std::array<Set, 256> wide{};
    [[nodiscard]] bool uses(int number) const { return narrow[only(number).bits()] != kNone; }
  };
  template <class AnyState, class Field>
  void visit(AnyState& state, Field& field) const;
  template <class AnyState, class Field>
  void visit_store(AnyState& state, Field& field) const;
  template <class AnyState, class Field>
  void visit_actors(AnyState& state, Field& field) const;

  const Scenario scenario_;
  const State initial_;
  Squeeze packs_, names_, index_, blocks_, records_, numbers_, writer_records_, unreadable_;
  int words_ = 0;
};

}  // namespace drs::model
