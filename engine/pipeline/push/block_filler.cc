#include "engine/pipeline/push/block_filler.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace drs {

Result<void> BlockFiller::flush() {
  if (filled_bytes_ == 0) return {};
  const std::size_t bytes = std::exchange(filled_bytes_, 0);
  const auto appended = blocks_.append(std::move(buffer_), bytes);
  return appended.ok() ? Result<void>() : appended.error();
}

Result<MutableByteView> BlockFiller::take(std::size_t bytes) {
  DRS_ASSERT(bytes <= kWholeBlockBytesMax, "more than a block holds");
  if (filled_bytes_ + bytes > kWholeBlockBytesMax) DRS_RETURN_IF_ERROR(flush());
  if (!buffer_) {
    DRS_ASSIGN_OR_RETURN(buffer_, blocks_.acquire());
  }
  const MutableByteView taken = buffer_.bytes().subspan(filled_bytes_, bytes);
  filled_bytes_ += bytes;
  return taken;
}

Result<void> BlockFiller::write(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t left = kWholeBlockBytesMax - filled_bytes_;
    const std::size_t count = std::min(bytes.size(), left == 0 ? kWholeBlockBytesMax : left);
    DRS_ASSIGN_OR_RETURN(const MutableByteView out, take(count));
    std::memcpy(out.data(), bytes.data(), count);
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> BlockFiller::write_together(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kWholeBlockBytesMax) return write(bytes);
  DRS_ASSIGN_OR_RETURN(const MutableByteView out, take(bytes.size()));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return {};
}

}  // namespace drs
