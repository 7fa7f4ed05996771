// The error reply of S3 or STS: every extracted text is safe to use in a message.
#include <algorithm>

#include "sinks/cloud/s3/s3_xml.h"

namespace {

bool fit_for_a_message(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::S3ErrorBody> error = drs::parse_s3_error({data, size_bytes});
  if (!error.ok()) {
    DRS_ASSERT(error.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
    return 0;
  }
  DRS_ASSERT(!error->code.empty(), "an error without a code");
  for (const std::string* text :
       {&error->code, &error->message, &error->resource, &error->request_id, &error->region, &error->endpoint})
    DRS_ASSERT(fit_for_a_message(*text), "a server's text reached a message unfiltered");
  return 0;
}
