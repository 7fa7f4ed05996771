// The least time for which a store bills an object of a storage class.
#pragma once

#include <cstdint>
#include <string_view>

namespace drs {

// In days; 0 for a class without such a time, and for one that is not known. Sources:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html ("Min storage duration"),
// https://cloud.google.com/storage/docs/storage-classes ("Minimum storage duration").
std::uint16_t billed_days_of(std::string_view storage_class);

}  // namespace drs
