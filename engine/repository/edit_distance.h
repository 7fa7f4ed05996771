// Levenshtein distance: the fewest insertions, deletions and substitutions that turn one word into another. For "did
// you mean" hints.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drs {

inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The first of the names that differ least from `word`; nullptr if none differs by at most `mistakes_max`.
inline const std::string* nearest_name(std::string_view word, std::span<const std::string> known,
                                       std::size_t mistakes_max) {
  const std::string* found = nullptr;
  std::size_t least = mistakes_max + 1;
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(name, word);
    if (distance >= least) continue;
    found = &name;
    least = distance;
  }
  return found;
}

}  // namespace drs
