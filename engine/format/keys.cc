#include "engine/format/keys.h"

#include "codecs/hkdf.h"
#include "codecs/hmac_sha256.h"

namespace drs {
namespace {

constexpr std::size_t kMasterBytes = 32;

SecretBytes derive_sub_key(ByteView master, const Uuid& repository, std::string_view label) {
  SecretBytes key(32);
  hkdf_sha256(master, repository.view(), as_bytes("drstream/1/" + std::string(label)), key.mutable_view());
  return key;
}

std::string_view key_class_name(KeyClass key_class) {
  switch (key_class) {
    case KeyClass::kData: return "data";
    case KeyClass::kMetadata: return "metadata";
    case KeyClass::kManifest: return "manifest";
    case KeyClass::kConfig: return "config";
  }
  DRS_ASSERT(false, "no such class of keys");
}

}  // namespace

RepositoryKeys::RepositoryKeys(ByteView master, const Uuid& repository)
    : repository_(repository),
      master_(SecretBytes::copy_of(master)),
      chunk_id_(derive_sub_key(master, repository, "chunk-id")),
      chunk_cut_(derive_sub_key(master, repository, "chunk-cut")),
      data_(derive_sub_key(master, repository, "data")),
      metadata_(derive_sub_key(master, repository, "metadata")),
      manifest_(derive_sub_key(master, repository, "manifest")),
      config_(derive_sub_key(master, repository, "config")),
      slot_mac_(derive_sub_key(master, repository, "slot-mac")),
      stream_tag_(derive_sub_key(master, repository, "stream-tag")) {
  DRS_ASSERT(master.size() == kMasterBytes, "a master key has 32 bytes");
  const SecretBytes commitment = derive_sub_key(master, repository, "commit");
  std::memcpy(commitment_.data.data(), commitment.view().data(), commitment_.data.size());
}

StreamTag RepositoryKeys::stream_tag(std::string_view stream) const {
  const Digest mac = hmac_sha256(stream_tag_.view(), as_bytes(stream));
  StreamTag tag;
  std::memcpy(tag.data.data(), mac.data.data(), tag.data.size());
  return tag;
}

ObjectKey256 RepositoryKeys::object_key(KeyClass key_class, const std::array<Byte, kEnvelopeHeadBytes>& head,
                                        const Salt& salt) const {
  const SecretBytes& sub_key = key_class == KeyClass::kData       ? data_
                               : key_class == KeyClass::kMetadata ? metadata_
                               : key_class == KeyClass::kManifest ? manifest_
                                                                  : config_;
  Bytes info;
  ByteWriter writer(info);
  writer.raw(as_bytes("drstream/1/object/"));
  writer.raw(as_bytes(key_class_name(key_class)));
  writer.raw(as_bytes("/"));
  writer.raw(repository_.view());
  writer.raw(head);
  SecretBytes derived(64);
  hkdf_sha256(sub_key.view(), salt.view(), info, derived.mutable_view());
  ObjectKey256 out{.key = SecretBytes::copy_of(derived.view().first(32)), .commitment = {}};
  std::memcpy(out.commitment.data.data(), derived.view().data() + 32, out.commitment.data.size());
  return out;
}

KeyClass envelope_class(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kPack:
    case ObjectKind::kIndex:
    case ObjectKind::kSession:
    case ObjectKind::kWaits:
    case ObjectKind::kCondemned: return KeyClass::kMetadata;
    case ObjectKind::kManifest:
    case ObjectKind::kFence:
    case ObjectKind::kRetired:
    case ObjectKind::kKept:
    case ObjectKind::kVerified:
    case ObjectKind::kHold:
    case ObjectKind::kRemoved: return KeyClass::kManifest;
    case ObjectKind::kConfig: return KeyClass::kConfig;
    case ObjectKind::kSlot:
    case ObjectKind::kDamaged: break;
  }
  DRS_ASSERT(false, "objects of this kind are not sealed with a sub-key");
}

}  // namespace drs
