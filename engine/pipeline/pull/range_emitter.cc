#include "engine/pipeline/pull/range_emitter.h"

#include <algorithm>
#include <array>

namespace drs {
namespace {

constexpr std::array<Byte, 64 * kKiB> kZeros{};

}  // namespace

Result<void> RangeEmitter::emit(const RestoredPiece& piece) {
  if (!piece.loss) return write(piece.bytes);
  if (holes_ == nullptr) {
    lost_ = RestoreRange{piece.stream_offset_bytes, piece.stream_offset_bytes + piece.lost_bytes};
    return lost_error({ErrorCode::kCorrupt, piece.problem}, *lost_);
  }
  DRS_RETURN_IF_ERROR(holes_->add({piece.stream_offset_bytes, piece.lost_bytes, written_bytes_, *piece.loss}));
  if (holes_->fill() == HoleFill::kZeros) return write_zeros(piece.lost_bytes);
  progress_.bytes += piece.lost_bytes;
  return {};
}

Result<void> RangeEmitter::write(ByteView bytes) {
  DRS_RETURN_IF_ERROR(sink_.write(bytes));
  written_bytes_ += bytes.size();
  progress_.bytes += bytes.size();
  return {};
}

Result<void> RangeEmitter::write_zeros(std::uint64_t bytes) {
  while (bytes > 0) {
    if (schedule_.stopped()) return Error(ErrorCode::kCancelled, "the restore has ended");
    const auto now_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kZeros.size()));
    DRS_RETURN_IF_ERROR(write(ByteView(kZeros).first(now_bytes)));
    bytes -= now_bytes;
  }
  return {};
}

}  // namespace drs
