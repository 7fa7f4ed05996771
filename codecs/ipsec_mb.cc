#include "codecs/ipsec_mb.h"

#include <intel-ipsec-mb.h>

#include "codecs/allocated.h"
#include "codecs/ipsec_mb_library.h"

namespace drs {
namespace {

struct Library {
  IMB_MGR* manager = nullptr;
  IMB_ARCH arch = IMB_ARCH_NONE;
  bool usable = false;

  Library() : manager(allocated(alloc_mb_mgr(0))) {
    init_mb_mgr_auto(manager, &arch);
    // Without AES-NI the library emulates AES, more slowly than OpenSSL.
    constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS;
    usable = imb_get_errno(manager) == 0 && arch >= IMB_ARCH_SSE && (manager->features & kNeeded) == kNeeded;
  }
};

const Library& library() {
  static const Library* const loaded = new Library;
  return *loaded;
}

const char* arch_name(IMB_ARCH arch) {
  switch (arch) {
    case IMB_ARCH_SSE: return "sse";
    case IMB_ARCH_AVX: return "avx";
    case IMB_ARCH_AVX2: return "avx2";
    case IMB_ARCH_AVX512: return "avx512";
    default: return "unknown";
  }
}

}  // namespace

const IMB_MGR& ipsec_mb_functions() {
  return *library().manager;
}

bool ipsec_mb_usable() {
  return library().usable;
}

std::string ipsec_mb_version() {
  if (!ipsec_mb_usable()) return {};
  return std::string("ipsec-mb ") + imb_get_version_str() + " (" + arch_name(library().arch) + ")";
}

}  // namespace drs
