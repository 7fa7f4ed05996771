// FileStamp: what a file looked like when its backup began. A file that changes while it is read is no backup.
#pragma once

#include <cstdint>
#include <string_view>

#include "io/result.h"

namespace drs {

struct FileStamp {
  std::uint64_t size_bytes = 0;  // a block device's too
  std::int64_t modified_ns = 0;  // 0 for a block device
};

// Of a regular file or a block device. Errors: kSource.
Result<FileStamp> stamp_of(int fd, std::string_view name);

// Errors: kSource, with both sizes in the text, when the file is no longer what the stamp says.
Result<void> check_unchanged(int fd, const FileStamp& before, std::string_view name);

}  // namespace drs
