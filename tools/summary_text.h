// What a command has done, in words for a person at a terminal. Scripts get lines of a stable form, or --json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/format/manifest.h"
#include "engine/pipeline/copy.h"
#include "engine/pipeline/pull.h"
#include "verify/scrub.h"
#include "verify/verify.h"

namespace drs {

// How many digits of an id a person sees.
inline constexpr std::size_t kIdDigitsShown = 12;

// "1 snapshot", "3 snapshots".
std::string counted(std::uint64_t count, std::string_view what);

// "3.1 s (308 MiB/s)"; no rate where it would be of less than a millisecond.
std::string pace_text(std::uint64_t bytes, double seconds);

// "11.2"; what was found again almost whole is "over 1000", since a larger ratio says nothing.
std::string ratio_text(std::uint64_t bytes, std::uint64_t stored_bytes);

// "saved pg/app #1 22c3a2a55448: 955 MiB read, 306 MiB new, 3.1 s (308 MiB/s), producer exit 0". Without `seconds`: a
// resume finished it.
std::string saved_text(const ManifestHeader& manifest, std::optional<double> seconds);

// "restored pg/app #1 22c3a2a55448 of 2026-11-20 02:00:05 +01:00: 955 MiB, 3.1 s (308 MiB/s), whole, SHA-256 agrees".
std::string restored_text(const ManifestHeader& manifest, const PullReport& report, bool consumer_stopped);

// "3 snapshots copied, 1 was there (...), 1 damaged here; read 1 MiB, stored 1 MiB in 2 packs, 3.1 s". `damaged`: also
// the manifests that cannot be read.
std::string copied_text(const CopyReport& report, std::uint64_t damaged);

// "verified 3 snapshots: 120 blocks in 2 packs (1 MiB), 0.1 s".
std::string verified_text(const VerifyReport& report);

// "scrubbed 12 objects, 1 MiB, 0.1 s (10 MiB/s)".
std::string scrubbed_text(const ScrubReport& report);

}  // namespace drs
