// The list of objects of Google Cloud Storage: anything but a list that is whole must be kUnavailable.
#include "sinks/gcs/gcs_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::GcsListPage> page = drs::parse_gcs_list({data, size_bytes});
  if (!page.ok()) {
    DRS_ASSERT(page.error().code == drs::ErrorCode::kUnavailable, "not an error that an answer may give");
    return 0;
  }
  for (const drs::GcsObject& object : page->objects) DRS_ASSERT(!object.name.empty(), "a listed object has a name");
  return 0;
}
