#include "tools/repository/resource_defaults.h"

#include <fmt/format.h>

#include <algorithm>

#include "codecs/scrypt.h"
#include "engine/pipeline/memory_plan.h"
#include "tools/output/quantity_text.h"

namespace drs {
namespace {

constexpr std::uint64_t kBesideShare = 8;  // one part in 8 of the limit is left to other processes
constexpr ScryptParameters kScrypt;
constexpr std::uint64_t kScryptBytes = (std::uint64_t{128} << kScrypt.log2_n) * kScrypt.r;
static_assert(kPassphraseBytes == kScryptBytes + kProgramBytes);

std::uint64_t bytes_left(std::uint64_t limit_bytes) {
  const std::uint64_t beside = kProgramBytes + limit_bytes / kBesideShare;
  return (limit_bytes - std::min(limit_bytes, beside)) / kMiB * kMiB;
}

std::uint64_t limit_bytes_min() {
  std::uint64_t limit_bytes = kMemoryBytesMin + kProgramBytes;
  while (bytes_left(limit_bytes) < kMemoryBytesMin) limit_bytes += kMiB;
  return limit_bytes;
}

std::string limit_text(const MemoryLimit& limit) {
  return fmt::format("the memory limit of this process, {} ({})", format_size(limit.bytes), limit.file);
}

}  // namespace

Result<std::uint64_t> default_memory_bytes(const CgroupLimits& limits) {
  if (!limits.memory) return kMemoryBytesDefault;
  const std::uint64_t left = bytes_left(limits.memory->bytes);
  if (left >= kMemoryBytesMin) return std::min<std::uint64_t>(left, kMemoryBytesDefault);
  return Error(ErrorCode::kUsage,
               fmt::format("{}, leaves {} for --memory, which must be at least {}: raise the limit to at least {}, or "
                           "give --memory {}MiB, at the risk that the kernel kills drstream",
                           limit_text(*limits.memory), format_size(left), format_size(kMemoryBytesMin),
                           format_size(limit_bytes_min()), kMemoryBytesMin / kMiB));
}

Result<void> check_room_for_passphrase(const CgroupLimits& limits) {
  if (!limits.memory || limits.memory->bytes >= kPassphraseBytes) return {};
  return Error(ErrorCode::kUsage,
               fmt::format("{}, is too little for a passphrase: scrypt needs {} and the program {}; raise the limit "
                           "to at least {}, or use a key file",
                           limit_text(*limits.memory), format_size(kScryptBytes), format_size(kProgramBytes),
                           format_size(kPassphraseBytes)));
}

}  // namespace drs
