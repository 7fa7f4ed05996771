// A Sink that makes a file: complete, synced and under its name, or not there at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/ring.h"
#include "io/sink.h"

namespace drs {

// Writes `<path>.drstream-<random>.part` (mode 0600) beside the target, which commit() syncs and renames; abandon() and
// the destructor remove it. A target that exists is refused without `force` (kAlreadyExists), here and again,
// atomically, in commit(). `size_hint` reserves space, so that a full disk shows at once (kNoSpace). A target that is
// no regular file (a device, a FIFO) is written straight to. Errors: kUsage for a directory; kNotFound, kDenied.
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, bool force, IoChoice choice,
                                             std::optional<std::uint64_t> size_hint);
// The same on a ring of the caller's, of kFileSinkRingDepth.
inline constexpr std::size_t kFileSinkRingDepth = 4;
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, bool force, std::unique_ptr<Ring> ring,
                                             std::optional<std::uint64_t> size_hint);

}  // namespace drs
