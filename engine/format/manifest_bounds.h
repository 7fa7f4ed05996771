// The bounds of a manifest's fields, in stored bytes without the length prefix. The encoder refuses longer fields, so
// values are checked on input: a push must not fail at its commit after the dump has run (FORMAT.md "Manifest body").
#pragma once

#include "engine/format/kinds.h"

namespace drs {

// No stream reaches this number, and adding to an accepted sequence number cannot overflow.
inline constexpr std::uint64_t kManifestSequenceMax = (std::uint64_t{1} << 48) - 1;

inline constexpr std::size_t kManifestStreamBytesMax = 255;  // the stream's name; the command line accepts fewer
inline constexpr std::size_t kManifestHostBytesMax = 255;
inline constexpr std::size_t kManifestToolBytesMax = 255;
inline constexpr std::size_t kManifestCommandBytesMax = 16 * kKiB;
inline constexpr std::size_t kManifestStderrBytesMax = 16 * kKiB;
inline constexpr std::size_t kManifestTrailerBytesMax = 4 * kKiB;
inline constexpr std::size_t kManifestTagsBytesMax = 64 * kKiB;  // all keys and values, plus 4 bytes per pair
inline constexpr std::size_t kManifestUnreadableMax = 1024;
inline constexpr std::size_t kManifestStreamsMax = 8192;
inline constexpr std::size_t kManifestLabelBytesMax = 64;
inline constexpr std::size_t kManifestPartsMax = 65536;  // of all streams together

// The maximum size of one list entry, and the minimum of a stream.
inline constexpr std::size_t kManifestNameBytes = 75;  // "manifests/", 32 digits, "-", 32 digits
inline constexpr std::size_t kUnreadableBytes = 2 + kManifestNameBytes + 32;
inline constexpr std::size_t kManifestPartBytes = 40;
inline constexpr std::size_t kStreamBytesMin = 2 + 16 + 8 + 1 + 32 + 16 + 8 + 4;  // without label and parts
// Numbers, times, digests, counts, and the length prefixes of the texts.
inline constexpr std::size_t kManifestFixedBytes = 512;

inline constexpr std::size_t kManifestBodyBytesMax =
    kManifestFixedBytes + kManifestStreamBytesMax + kManifestNameBytes + kManifestHostBytesMax + kManifestToolBytesMax +
    kManifestCommandBytesMax + kManifestStderrBytesMax + kManifestTrailerBytesMax + kManifestTagsBytesMax +
    kManifestUnreadableMax * kUnreadableBytes + kManifestStreamsMax * (kStreamBytesMin + kManifestLabelBytesMax) +
    kManifestPartsMax * kManifestPartBytes;
// Envelope, repository id, lengths, seal and digest around the body.
inline constexpr std::size_t kDocumentFrameBytes = 256;
static_assert(kManifestBodyBytesMax + kDocumentFrameBytes <= kDocumentBytesMax,
              "a manifest whose fields all keep their bounds fits into a document");

}  // namespace drs
