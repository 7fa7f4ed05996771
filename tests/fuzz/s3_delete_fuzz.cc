// The reply to DeleteObjects: every entry has a key.
#include "sinks/cloud/s3/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::S3DeleteResult> result = drs::parse_delete_result({data, size_bytes});
  if (!result.ok()) {
    DRS_ASSERT(result.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
    return 0;
  }
  for (const std::string& key : result->deleted) DRS_ASSERT(!key.empty(), "a deleted entry without a key");
  for (const drs::S3DeleteFailure& failure : result->failed)
    DRS_ASSERT(!failure.key.empty(), "a failed entry without a key");
  return 0;
}
