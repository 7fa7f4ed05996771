// The list of objects of an S3 store: anything but a list that is whole must be kUnavailable.
#include "sinks/s3/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::S3ListPage> page = drs::parse_list_objects({data, size_bytes});
  if (!page.ok()) {
    DRS_ASSERT(page.error().code == drs::ErrorCode::kUnavailable, "not an error that an answer may give");
    return 0;
  }
  DRS_ASSERT(page->truncated == !page->continuation_token.empty(), "a list that goes on says where");
  for (const drs::S3ListedObject& object : page->objects) DRS_ASSERT(!object.key.empty(), "a listed object has a name");
  return 0;
}
