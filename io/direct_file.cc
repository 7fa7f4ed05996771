#include "io/direct_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace drs {
namespace {

// Returns false only if the file system reports units that we do not use. Few file systems report any, and kernels
// before 6.1 report none.
bool takes_our_units(int file) {
  struct statx status {};
  if (::statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0) return true;
  if ((status.stx_mask & STATX_DIOALIGN) == 0) return true;
  const auto fits = [](std::uint32_t unit_bytes) { return unit_bytes > 0 && kDirectAlignment % unit_bytes == 0; };
  return fits(status.stx_dio_mem_align) && fits(status.stx_dio_offset_align);
}

}  // namespace

bool set_direct(int file) {
  if (!takes_our_units(file)) return false;
  const int flags = ::fcntl(file, F_GETFL);
  return flags >= 0 && ::fcntl(file, F_SETFL, flags | O_DIRECT) == 0;
}

void drop_direct(int file) {
  const int flags = ::fcntl(file, F_GETFL);
  if (flags >= 0) ::fcntl(file, F_SETFL, flags & ~O_DIRECT);
}

}  // namespace drs
