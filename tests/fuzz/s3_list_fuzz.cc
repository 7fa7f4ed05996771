// The object list of an S3 store: anything but a complete list must be kUnavailable.
#include "sinks/cloud/s3/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::S3ListPage> page = drs::parse_list_objects({data, size_bytes});
  if (!page.ok()) {
    DRS_ASSERT(page.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
    return 0;
  }
  DRS_ASSERT(page->truncated == !page->continuation_token.empty(), "a truncated list without a continuation token");
  for (const drs::S3ListedObject& object : page->objects)
    DRS_ASSERT(!object.key.empty(), "a listed object without a name");
  return 0;
}
