// Reads single records of a cluster, to compare them with those of an archive.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "codecs/record_digest.h"
#include "io/record_source.h"

namespace drs {

// The hash of the first record of each range, by the range's number; none where it has none. Errors: the source's.
Result<std::map<std::uint32_t, RecordHash>> probe_records(RecordSource& source, std::span<const OffsetRange> ranges);

}  // namespace drs
