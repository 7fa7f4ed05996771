// A Sink that makes a file: complete, synced and under its name, or not there at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/ring.h"
#include "io/sink.h"

namespace drs {

// Writes `<path>.drstream-<random>.part` (mode 0600; a long name is cut) beside the target, which commit() syncs and
// renames; abandon() and the destructor remove it. A target that exists is refused without `force` (kAlreadyExists),
// here and again, atomically, in commit(); with `force` the new file gets the owner, group and mode of the old one as
// far as that is allowed. A link stands for the file that it names, also where that is not there yet: it is refused
// without `force`, too. `size_hint` reserves space, so that a full disk shows at once (kNoSpace).
//
// A character device or FIFO is written straight to; so is a block device, only with `force` (else kAlreadyExists), and
// only if it is not in use and at least `size_hint` large (else kUsage). Errors besides: kUsage for a directory;
// kNotFound, kDenied.
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, bool force, IoChoice choice,
                                             std::optional<std::uint64_t> size_hint);
// The same on a ring of the caller's, of kFileSinkRingDepth.
inline constexpr std::size_t kFileSinkRingDepth = 4;
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, bool force, std::unique_ptr<Ring> ring,
                                             std::optional<std::uint64_t> size_hint);

}  // namespace drs
