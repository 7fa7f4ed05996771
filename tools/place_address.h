// Where a repository is, in words that do not depend on how it was named.
#pragma once

#include <string>

#include "tools/repository_place.h"

namespace drs {

// Of a directory the path without links; of a bucket its URL and its server, since two servers may have buckets of one
// name. One line. Where that cannot be found out (the place could not be opened either) it is the place's name.
// `cancel` ends the wait for settings in a FIFO.
std::string place_address(const RepositoryPlace& place, CancelToken& cancel);

}  // namespace drs
