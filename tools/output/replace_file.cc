#include "tools/output/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "codecs/random.h"
#include "io/fd.h"
#include "tools/output/console.h"

namespace drs {
namespace {

Result<void> write_new(const std::string& path, std::string_view content, mode_t mode) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return error_from_errno(errno, "create " + path);
  // Whatever the umask says.
  if (::fchmod(fd.get(), mode) != 0 || !write_all(fd.get(), content) || ::fsync(fd.get()) != 0)
    return error_from_errno(errno, "write " + path);
  return fd.close();
}

Result<void> sync_directory(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return error_from_errno(errno, "sync " + path);
  return {};
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode) {
  Uuid random;
  random_bytes(random.mutable_view());
  const std::string temporary = path + "." + random.hex();
  Result<void> written = write_new(temporary, content, mode);
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = error_from_errno(errno, "rename to " + path);
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  const std::string directory = std::filesystem::path(path).parent_path();
  return sync_directory(directory.empty() ? "." : directory);
}

}  // namespace drs
