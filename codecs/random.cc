#include "codecs/random.h"

#include <sys/random.h>

#include <cerrno>

namespace drs {

void random_bytes(MutableByteView out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    DRS_ASSERT(got > 0 || (got < 0 && errno == EINTR), "getrandom failed");
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace drs
