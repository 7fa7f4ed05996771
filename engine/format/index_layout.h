// Sizes and rules shared by the encoder and the decoder of index objects. Stored: FORMAT.md "Index".
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/format/index.h"

namespace drs {

inline constexpr std::size_t kDirectoryEntryBytes = 4 + 4 + kBlockFieldsBytes + 8;
inline constexpr std::size_t kHookBytes = 8 + 4 + 2;
inline constexpr std::size_t kHooksSealedBytesMin = 4 + kSealBytes;
inline constexpr std::size_t kIndexedPackBytes = 32 + 8 + 32;
inline constexpr std::size_t kIndexSessionBytes = 16 + 8 + 8 + 4;
inline constexpr std::size_t kSummarySealedBytesMin = 8 + 4 + 4 + 4 + 8 + 12 + 12 + kSealBytes;

inline bool is_hook(std::uint64_t word) {
  return (word & ((1U << kHookShift) - 1)) == 0;
}

}  // namespace drs
