// What each role does to objects: which parts of a repository its commands create, lock and remove (FORMAT.md
// "Objects").
#pragma once

#include "engine/format/object_rules.h"
#include "sinks/s3/s3_policy.h"

namespace drs {

S3PolicyNeeds role_needs(StoreRole role);

}  // namespace drs
