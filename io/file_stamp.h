// FileStamp: size and modification time of a file when its backup began. If they change during the read, the backup
// fails.
#pragma once

#include <cstdint>
#include <string_view>

#include "io/base/result.h"

namespace drs {

struct FileStamp {
  std::uint64_t size_bytes = 0;  // of the file or the block device
  std::int64_t modified_ns = 0;  // 0 for a block device
};

// Takes the stamp of a regular file or a block device. Errors: kSource.
Result<FileStamp> stamp_of(int fd, std::string_view name);

// Checks that the file still matches the stamp. Errors: kSource, with the sizes in the text.
Result<void> check_unchanged(int fd, const FileStamp& before, std::string_view name);

}  // namespace drs
