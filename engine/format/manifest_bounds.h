// The bounds of a manifest's fields, in bytes as they are stored without their lengths. The encoder refuses what
// exceeds them, so values are checked where they enter: a dump that has run must not fail at its commit (FORMAT.md
// "Manifest body").
#pragma once

#include "engine/format/kinds.h"

namespace drs {

// No stream gets so far, and above it there is room: what a reader takes can be counted on from.
inline constexpr std::uint64_t kManifestSequenceMax = (std::uint64_t{1} << 48) - 1;

inline constexpr std::size_t kManifestStreamBytesMax = 255;  // the stream's name; the command line takes fewer
inline constexpr std::size_t kManifestHostBytesMax = 255;
inline constexpr std::size_t kManifestToolBytesMax = 255;
inline constexpr std::size_t kManifestCommandBytesMax = 16 * kKiB;
inline constexpr std::size_t kManifestStderrBytesMax = 16 * kKiB;
inline constexpr std::size_t kManifestTrailerBytesMax = 4 * kKiB;
inline constexpr std::size_t kManifestTagsBytesMax = 64 * kKiB;  // all keys and values, and 4 bytes for each pair
inline constexpr std::size_t kManifestUnreadableMax = 1024;
inline constexpr std::size_t kManifestStreamsMax = 8192;
inline constexpr std::size_t kManifestLabelBytesMax = 64;
inline constexpr std::size_t kManifestPartsMax = 65536;  // of all streams together

// What one entry of a list takes at most.
inline constexpr std::size_t kManifestNameBytes = 75;  // "manifests/", 32 digits, "-", 32 digits
inline constexpr std::size_t kUnreadableBytes = 2 + kManifestNameBytes + 32;
inline constexpr std::size_t kManifestPartBytes = 40;
inline constexpr std::size_t kStreamBytesMin = 2 + 16 + 8 + 1 + 32 + 16 + 8 + 4;  // without label and parts
// Numbers, times, digests, counts, and the lengths of the texts.
inline constexpr std::size_t kManifestFixedBytes = 512;

inline constexpr std::size_t kManifestBodyBytesMax =
    kManifestFixedBytes + kManifestStreamBytesMax + kManifestNameBytes + kManifestHostBytesMax + kManifestToolBytesMax +
    kManifestCommandBytesMax + kManifestStderrBytesMax + kManifestTrailerBytesMax + kManifestTagsBytesMax +
    kManifestUnreadableMax * kUnreadableBytes + kManifestStreamsMax * (kStreamBytesMin + kManifestLabelBytesMax) +
    kManifestPartsMax * kManifestPartBytes;
// Envelope, repository id, lengths, seal and digest around the body.
inline constexpr std::size_t kDocumentFrameBytes = 256;
static_assert(kManifestBodyBytesMax + kDocumentFrameBytes <= kDocumentBytesMax,
              "a manifest whose fields all keep their bounds is a document");

}  // namespace drs
