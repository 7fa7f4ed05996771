// Summaries for a person at a terminal: what a command has done, and how a producer ended. Scripts get lines of a
// stable form, or --json.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/format/manifest.h"
#include "engine/pipeline/copy/copy.h"
#include "engine/pipeline/pull/pull.h"
#include "verify/scrub.h"
#include "verify/verify.h"

namespace drs {

// How many digits of an id a person sees.
inline constexpr std::size_t kIdDigitsShown = 12;

// "1 snapshot", "3 snapshots".
std::string counted(std::uint64_t count, std::string_view what);

// "3.1 s (308 MiB/s)"; no rate where it would be of less than a millisecond.
std::string pace_text(std::uint64_t bytes, std::chrono::duration<double> elapsed);

// "11.2"; "over 1000" above that, where the exact ratio has no meaning.
std::string ratio_text(std::uint64_t bytes, std::uint64_t stored_bytes);

// How the producer ended, in a word: "exit 0", "file", "unseen", "captured ends".
std::string producer_word(const ManifestHeader& manifest);
// The same with its meaning: "unseen: a plain pipe".
std::string producer_text(const ManifestHeader& manifest);
// Whether nothing shows that the stream is complete: its producer was unseen, and no trailer was required.
bool may_be_cut_short(const ManifestHeader& manifest);
// The warning of a push of such a stream.
inline constexpr std::string_view kUnseenProducerWarning =
    "the producer was unseen: through a plain pipe one that failed looks like one that finished; run it by --exec -- "
    "CMD, or check its end with --require-trailer REGEX";

// "saved pg/app #1 22c3a2a55448: 955 MiB read, 306 MiB new, 3.1 s (308 MiB/s), producer exit 0". Without `elapsed`: a
// resume finished it.
std::string saved_text(const ManifestHeader& manifest, std::optional<std::chrono::duration<double>> elapsed);

// "with 2 holes of 24000 bytes, not compared with its digests".
std::string holes_text(const PullReport& report);

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
