// The format of the files that AWS's tools share: ~/.aws/config and ~/.aws/credentials.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <string_view>
#include <vector>

#include "io/base/result.h"

namespace drs {

struct AwsIniSetting {
  std::string_view group;  // empty, or the setting that this one is indented below: "s3" in [services x]
  std::string_view name;   // in any case
  std::string_view value;  // without surrounding spaces and a trailing comment
};

struct AwsIniSection {
  std::string_view name;  // as between the brackets: "profile backup"
  std::vector<AwsIniSetting> settings;
};

// Parses lines of "[section]", "name = value" and comments that start with '#' or ';'. A line indented deeper than the
// setting above it belongs to that setting. Returns views into `text`. Errors: kUsage with the number of the line,
// never its content, which may be a secret.
Result<std::vector<AwsIniSection>> parse_aws_ini(std::string_view text);

}  // namespace drs
