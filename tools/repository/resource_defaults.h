// The default of --memory and the room for a passphrase, within the limits of this process (io/cgroup_limits.h).
#pragma once

#include <cstdint>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "io/cgroup_limits.h"

namespace drs {

inline constexpr std::uint64_t kProgramBytes =
    32 * kMiB;  // code, stacks, small objects (engine/pipeline/memory_plan.h)
// The least limit with a passphrase: scrypt and the program.
inline constexpr std::uint64_t kPassphraseBytes = 128 * kMiB + kProgramBytes;

// The smaller of 256 MiB and what the limit leaves: the limit less 32 MiB for the program itself, and less an eighth
// for a command behind --exec and for the kernel's buffers. Errors: kUsage if that is below the floor of --memory; the
// text says how large the limit must be.
Result<std::uint64_t> default_memory_bytes(const CgroupLimits& limits);

// scrypt needs 128 MiB, but only before --memory is allocated. Errors: kUsage if the limit is below that plus the
// program itself: the kernel would kill this process.
Result<void> check_room_for_passphrase(const CgroupLimits& limits);

}  // namespace drs
