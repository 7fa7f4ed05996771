// The object list of Google Cloud Storage: anything but a complete list must be kUnavailable.
#include "sinks/cloud/gcs/gcs_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::GcsListPage> page = drs::parse_gcs_list({data, size_bytes});
  if (!page.ok()) {
    DRS_ASSERT(page.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
    return 0;
  }
  for (const drs::GcsObject& object : page->objects) DRS_ASSERT(!object.name.empty(), "a listed object without a name");
  return 0;
}
