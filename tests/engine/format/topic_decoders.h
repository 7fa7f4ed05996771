// The decoders of archives of topics, for decoders.h: each decodes an input and re-encodes the result.
#pragma once

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

Result<Bytes> reencode_record_block(ByteView input);
Result<Bytes> reencode_extent_index(ByteView input);
Result<Bytes> reencode_extent_page(ByteView input);
// Bytes before the tables, and a catalogue with sections of later versions, come back as they are.
Result<Bytes> reencode_segment_directory(ByteView input);
Result<Bytes> reencode_catalogue(ByteView input);

}  // namespace drs
