#include <cstring>

#include "engine/format/record_block.h"
#include "tests/engine/format/decoders.h"

namespace {

// The input with its length, and that of its last column, as they must be, which a fuzzer seldom finds.
drs::Bytes with_lengths(drs::ByteView input) {
  drs::Bytes block(input.begin(), input.end());
  if (block.size() < drs::kRecordBlockHeaderBytes) return block;
  const auto bytes = static_cast<std::uint32_t>(block.size());
  drs::Byte* const columns = block.data() + drs::kRecordBlockHeaderBytes - 4 * drs::kRecordColumns;
  std::uint32_t last_bytes = bytes - static_cast<std::uint32_t>(drs::kRecordBlockHeaderBytes);
  for (std::size_t i = 0; i + 1 < drs::kRecordColumns; ++i) {
    std::uint32_t column_bytes;
    std::memcpy(&column_bytes, columns + 4 * i, 4);
    last_bytes -= column_bytes;
  }
  std::memcpy(block.data(), &bytes, 4);
  std::memcpy(columns + 4 * (drs::kRecordColumns - 1), &last_bytes, 4);
  return block;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  drs::check_canonical("record_block", {data, size_bytes});
  drs::check_canonical("record_block", with_lengths({data, size_bytes}));
  return 0;
}
