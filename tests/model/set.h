// Small sets and arrays by number.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace drs::model {

// A set of packs, names, index objects or records: numbers from 0 to 7.
class Set {
 public:
  constexpr Set() = default;
  static constexpr Set of(unsigned bits) {
    Set set;
    set.bits_ = static_cast<std::uint8_t>(bits);
    return set;
  }
  [[nodiscard]] constexpr std::uint8_t bits() const { return bits_; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr int count() const { return std::popcount(bits_); }
  [[nodiscard]] constexpr bool has(int number) const { return (bits_ >> number & 1) != 0; }
  [[nodiscard]] constexpr int lowest() const { return std::countr_zero(bits_); }       // 8 if empty
  [[nodiscard]] constexpr int highest() const { return 7 - std::countl_zero(bits_); }  // -1 if empty
  constexpr Set& operator|=(Set other) { return *this = *this | other; }
  constexpr Set& operator&=(Set other) { return *this = *this & other; }
  constexpr Set& operator-=(Set other) { return *this = *this - other; }
  friend constexpr Set operator|(Set a, Set b) { return of(static_cast<unsigned>(a.bits_) | b.bits_); }
  friend constexpr Set operator&(Set a, Set b) { return of(static_cast<unsigned>(a.bits_) & b.bits_); }
  friend constexpr Set operator-(Set a, Set b) { return of(static_cast<unsigned>(a.bits_) & ~unsigned{b.bits_}); }
  friend constexpr bool operator==(Set, Set) = default;

 private:
  std::uint8_t bits_ = 0;
};

constexpr Set only(int number) {
  return Set::of(1U << number);
}
constexpr Set kNone = Set();
constexpr Set kEvery = Set::of(0xff);

// An array whose index is a number as above.
template <class T, int kSize>
struct Numbered {
  T items[static_cast<std::size_t>(kSize)] = {};
  constexpr T& operator[](int number) { return *(items + number); }
  constexpr const T& operator[](int number) const { return *(items + number); }
  constexpr T* begin() { return items; }
  constexpr T* end() { return items + kSize; }
  constexpr const T* begin() const { return items; }
  constexpr const T* end() const { return items + kSize; }
  friend constexpr bool operator==(const Numbered&, const Numbered&) = default;
};

}  // namespace drs::model
