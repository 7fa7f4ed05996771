// The policies of AWS (and of MinIO, which reads the same language) that let credentials do just what is needed.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sinks/s3/s3_address.h"
#include "sinks/s3/s3_put_options.h"

namespace drs {

// What a holder of the policy may do below the repository's prefix. Parts of keys end in '/': "packs/".
struct S3PolicyNeeds {
  std::vector<std::string> create;  // parts in which objects may be created
  std::vector<std::string> lock;    // parts whose locks may be extended, where S3PutOptions::lock is set
  bool remove = false;              // everything
};

struct S3PolicyOptions {
  S3PutOptions put;          // locks, tags and a KMS key need permissions of their own
  std::string region;        // decides the partition of ARNs; empty: AWS's own
  bool create_only = false;  // refuse puts without If-None-Match; AWS S3 knows this condition, MinIO does not
  std::string principal;     // an ARN: a policy of the bucket for it; empty: a policy of a user or role
};

// All roles may list the prefix, read every object, and see how the bucket is set up.
nlohmann::ordered_json s3_policy(const BucketLocation& location, const S3PolicyNeeds& needs,
                                 const S3PolicyOptions& options);

}  // namespace drs
