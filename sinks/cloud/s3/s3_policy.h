// The policies of AWS (and of MinIO, which reads the same language) that grant exactly the permissions that are needed.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sinks/cloud/s3/s3_address.h"
#include "sinks/cloud/s3/s3_put_options.h"

namespace drs {

// The rights that the policy grants below the prefix of the repository. Parts of keys end in '/': "packs/".
struct S3PolicyNeeds {
  std::vector<std::string> create;  // parts in which objects may be created
  std::vector<std::string> lock;    // parts whose locks may be extended, if S3PutOptions::lock is set
  std::vector<std::string> remove;  // parts in which objects may be deleted
};

struct S3PolicyOptions {
  S3PutOptions put;          // locks, tags and a KMS key need permissions of their own
  std::string region;        // decides the partition of ARNs; empty: "aws"
  bool create_only = false;  // refuse puts without If-None-Match; AWS S3 knows this condition, MinIO does not
  std::string principal;     // an ARN: makes a bucket policy for it; empty: a policy for a user or role
};

// All roles may list the prefix, read every object, and read the settings of the bucket.
nlohmann::ordered_json s3_policy(const BucketLocation& location, const S3PolicyNeeds& needs,
                                 const S3PolicyOptions& options);

}  // namespace drs
