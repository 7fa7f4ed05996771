// The body of a failed request to Google Cloud Storage: the displayed text is one short printable line.
#include <algorithm>

#include "sinks/cloud/gcs/gcs_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::GcsError error = drs::parse_gcs_error({data, size_bytes});
  for (const std::string& text : {error.reason, error.message}) {
    DRS_ASSERT(text.size() <= 500, "a message longer than 500 bytes");
    DRS_ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }),
               "a message is plain");
  }
  return 0;
}
