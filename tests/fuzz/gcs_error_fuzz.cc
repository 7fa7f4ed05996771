// Whatever comes with an answer of Google Cloud Storage that is no success: what is shown of it is one printable line.
#include <algorithm>

#include "sinks/gcs/gcs_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::GcsError error = drs::parse_gcs_error({data, size_bytes});
  for (const std::string& text : {error.reason, error.message}) {
    DRS_ASSERT(text.size() <= 500, "a message is short");
    DRS_ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }),
               "a message is plain");
  }
  return 0;
}
