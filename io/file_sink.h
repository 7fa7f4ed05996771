// A Sink that writes a file atomically: the file appears under its name complete and synced, or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/ring.h"
#include "io/sink.h"

namespace drs {

enum class Existing : std::uint8_t { kRefuse, kReplace };

// Writes `<path>.drstream-<random>.part` (mode 0600; a long name is truncated) beside the target. commit() syncs and
// renames it; abandon() and the destructor remove it. With kRefuse an existing target is refused (kAlreadyExists), here
// and again, atomically, in commit(). With kReplace the new file gets the owner, group and mode of the old one as far
// as permitted. A symbolic link denotes the file that it points to; with kRefuse it is refused even if that file does
// not exist. `size_hint` reserves space, so that a full disk fails immediately (kNoSpace).
//
// A character device or FIFO is written directly. So is a block device, but only with kReplace (otherwise
// kAlreadyExists), and only if it is not in use and has at least `size_hint` bytes (otherwise kUsage). Other errors:
// kUsage for a directory; kNotFound, kDenied.
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, Existing existing, IoChoice choice,
                                             std::optional<std::uint64_t> size_hint);
// The same on the caller's ring, which must have kFileSinkRingDepth.
inline constexpr std::size_t kFileSinkRingDepth = 4;
Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, Existing existing, std::unique_ptr<Ring> ring,
                                             std::optional<std::uint64_t> size_hint);

}  // namespace drs
