#include <intel-ipsec-mb.h>

#include "codecs/aead.h"
#include "codecs/ipsec_mb.h"
#include "codecs/ipsec_mb_library.h"

namespace drs {
namespace {

// The library treats a null pointer as an error even if the length is 0.
constexpr Byte kNowhere = 0;
const Byte* readable(ByteView bytes) {
  return bytes.empty() ? &kNowhere : bytes.data();
}

class IpsecMbCipher final : public AeadCipher {
 public:
  explicit IpsecMbCipher(ByteView key) : library_(ipsec_mb_functions()) {
    IMB_AES256_GCM_PRE(&library_, key.data(), &schedule_);
  }
  ~IpsecMbCipher() override { wipe({reinterpret_cast<Byte*>(&schedule_), sizeof schedule_}); }

  void encrypt(ByteView nonce, ByteView aad, ByteView in, MutableByteView out, MutableByteView tag) const override {
    gcm_context_data context;
    Byte nowhere = 0;
    IMB_AES256_GCM_ENC(&library_, &schedule_, &context, out.empty() ? &nowhere : out.data(), readable(in), in.size(),
                       nonce.data(), readable(aad), aad.size(), tag.data(), tag.size());
  }

  bool decrypt(ByteView nonce, ByteView aad, ByteView in, ByteView tag, MutableByteView out) const override {
    gcm_context_data context;
    Byte nowhere = 0;
    FixedBytes<kAeadTagBytes> computed;
    IMB_AES256_GCM_DEC(&library_, &schedule_, &context, out.empty() ? &nowhere : out.data(), readable(in), in.size(),
                       nonce.data(), readable(aad), aad.size(), computed.data.data(), kAeadTagBytes);
    const bool matches = equal_constant_time(computed.view(), tag);
    wipe(computed.mutable_view());  // with the correct tag of a forged message, an attacker could complete the forgery
    return matches;
  }

 private:
  const IMB_MGR& library_;
  alignas(64) gcm_key_data schedule_;
};

}  // namespace

std::unique_ptr<AeadCipher> make_ipsec_mb_cipher(ByteView key) {
  DRS_ASSERT(ipsec_mb_usable(), "ipsec-mb does not run on this CPU");
  return std::make_unique<IpsecMbCipher>(key);
}

}  // namespace drs
