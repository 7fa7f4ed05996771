#include "codecs/zstd_codec.h"

#define ZSTD_STATIC_LINKING_ONLY  // the size estimates
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <string>

#include "io/base/catch_thrown.h"

namespace drs {

void ZstdEncoder::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

std::unique_ptr<ZstdEncoder> ZstdEncoder::make() {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  return context == nullptr ? nullptr : std::unique_ptr<ZstdEncoder>(new ZstdEncoder(context));
}

Result<std::size_t> ZstdEncoder::compress(ByteView in, MutableByteView out, int level) {
  const std::size_t bytes = ZSTD_compressCCtx(context_.get(), out.data(), out.size(), in.data(), in.size(), level);
  if (ZSTD_isError(bytes) == 0) return bytes;
  const ZSTD_ErrorCode code = ZSTD_getErrorCode(bytes);
  if (code == ZSTD_error_dstSize_tooSmall) return std::size_t{0};
  if (code == ZSTD_error_memory_allocation) return no_memory_error();
  return Error(ErrorCode::kInternal, std::string("zstd failed to compress: ") + ZSTD_getErrorName(bytes));
}

std::size_t ZstdEncoder::context_bytes() const {
  return ZSTD_sizeof_CCtx(context_.get());
}

std::size_t ZstdEncoder::context_bytes_max(int level, std::size_t input_bytes_max) {
  // zstd has a parameter table for each of four input sizes, and a smaller input can need more memory.
  std::size_t bytes_max = 0;
  for (const std::size_t tier_bytes : {16 * kKiB, 128 * kKiB, 256 * kKiB, input_bytes_max}) {
    const std::size_t input_bytes = std::max<std::size_t>(1, std::min(tier_bytes, input_bytes_max));
    const ZSTD_compressionParameters parameters = ZSTD_getCParams(level, input_bytes, 0);
    bytes_max = std::max(bytes_max, ZSTD_estimateCCtxSize_usingCParams(parameters));
  }
  return bytes_max;
}

void ZstdDecoder::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

std::unique_ptr<ZstdDecoder> ZstdDecoder::make() {
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  return context == nullptr ? nullptr : std::unique_ptr<ZstdDecoder>(new ZstdDecoder(context));
}

Result<void> ZstdDecoder::decompress(ByteView in, MutableByteView out) {
  // ZSTD_decompressDCtx would also accept several frames, skippable frames, and frames of zstd before 0.8, which
  // allocate as much as their headers request. We write none of these.
  std::uint32_t magic = 0;
  if (in.size() >= sizeof magic) std::memcpy(&magic, in.data(), sizeof magic);
  if (magic != ZSTD_MAGICNUMBER) return Error(ErrorCode::kCorrupt, "not a zstd frame");
  if (ZSTD_findFrameCompressedSize(in.data(), in.size()) != in.size()) {
    return Error(ErrorCode::kCorrupt, "not exactly one zstd frame");
  }
  const unsigned long long content_bytes = ZSTD_getFrameContentSize(in.data(), in.size());
  if (content_bytes != out.size()) {
    return Error(ErrorCode::kCorrupt, "zstd frame does not declare " + std::to_string(out.size()) + " bytes");
  }
  Byte nowhere = 0;
  const std::size_t bytes =
      ZSTD_decompressDCtx(context_.get(), out.empty() ? &nowhere : out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(bytes) != 0) {
    return Error(ErrorCode::kCorrupt, std::string("zstd frame is damaged: ") + ZSTD_getErrorName(bytes));
  }
  if (bytes != out.size()) return Error(ErrorCode::kCorrupt, "zstd frame holds fewer bytes than it declares");
  return {};
}

std::size_t ZstdDecoder::context_bytes() {
  return ZSTD_estimateDCtxSize();
}

}  // namespace drs
