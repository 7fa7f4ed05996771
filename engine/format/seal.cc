#include "engine/format/seal.h"

#include <array>

#include "codecs/random.h"
#include "engine/format/corrupt.h"

namespace drs {
namespace {

// The additional data of FORMAT.md "Seals".
Bytes additional_data(const Uuid& repository, const Envelope& envelope, const SealLabel& label,
                      const std::string& name) {
  Bytes out;
  out.reserve(70 + name.size());
  ByteWriter writer(out);
  writer.raw(repository.view());
  writer.u8(static_cast<std::uint8_t>(envelope.kind));
  writer.u8(static_cast<std::uint8_t>(label.kind));
  writer.u8(static_cast<std::uint8_t>(label.codec));
  writer.u8(0);
  writer.raw(envelope.salt.view());
  writer.u64(label.ordinal);
  writer.u64(label.plain_bytes);
  writer.short_string(name);
  return out;
}

std::array<Byte, kAeadNonceBytes> nonce_of(std::uint64_t ordinal) {
  std::array<Byte, kAeadNonceBytes> nonce{};
  std::memcpy(nonce.data() + 4, &ordinal, sizeof ordinal);
  return nonce;
}

std::unique_ptr<Aead> make_cipher(const RepositoryKeys& keys, KeyClass key_class, const Envelope& envelope,
                                  CryptoBackend backend) {
  return std::make_unique<Aead>(keys.object_key(key_class, envelope.head(), envelope.salt).key.view(), backend);
}

std::unique_ptr<Aead> make_data_cipher(const RepositoryKeys& keys, const Envelope& envelope, CryptoBackend backend) {
  if (envelope.kind != ObjectKind::kPack) return nullptr;
  return make_cipher(keys, KeyClass::kData, envelope, backend);
}

const Aead& choose_cipher(const SealLabel& label, const std::unique_ptr<Aead>& data,
                          const std::unique_ptr<Aead>& main) {
  const std::unique_ptr<Aead>& cipher = label.kind == SealKind::kDataBlock ? data : main;
  DRS_ASSERT(cipher != nullptr, "only packs contain data blocks");
  return *cipher;
}

}  // namespace

ObjectSealer::ObjectSealer(const RepositoryKeys& keys, ObjectKind kind, std::string name, CryptoBackend backend,
                           const Salt* salt)
    : envelope_{.kind = kind, .salt = {}, .commitment = {}}, repository_(keys.repository()), name_(std::move(name)) {
  if (salt != nullptr)
    envelope_.salt = *salt;
  else
    random_bytes(envelope_.salt.mutable_view());
  const ObjectKey256 main = keys.object_key(envelope_class(kind), envelope_.head(), envelope_.salt);
  envelope_.commitment = main.commitment;
  main_ = std::make_unique<Aead>(main.key.view(), backend);
  data_ = make_data_cipher(keys, envelope_, backend);
}

void ObjectSealer::seal(const SealLabel& label, ByteView plain, MutableByteView sealed) const {
  DRS_ASSERT(sealed.size() == plain.size() + kSealBytes, "a seal has the size of its plaintext plus the tag");
  choose_cipher(label, data_, main_)
      .seal(nonce_of(label.ordinal), additional_data(repository_, envelope_, label, name_), plain, sealed);
}

void ObjectSealer::append(const SealLabel& label, ByteView plain, Bytes& out) const {
  const std::size_t offset_bytes = out.size();
  out.resize(offset_bytes + plain.size() + kSealBytes);
  seal(label, plain, MutableByteView(out).subspan(offset_bytes));
}

Result<ObjectOpener> ObjectOpener::make(const RepositoryKeys& keys, const Envelope& envelope, std::string name,
                                        CryptoBackend backend) {
  const ObjectKey256 main = keys.object_key(envelope_class(envelope.kind), envelope.head(), envelope.salt);
  if (!equal_constant_time(main.commitment.view(), envelope.commitment.view()))
    return corrupt(object_kind_name(envelope.kind), ": the envelope's commitment does not match this repository's ",
                   "keys (damaged, or copied from another repository)");
  ObjectOpener opener;
  opener.envelope_ = envelope;
  opener.repository_ = keys.repository();
  opener.name_ = std::move(name);
  opener.main_ = std::make_unique<Aead>(main.key.view(), backend);
  opener.data_ = make_data_cipher(keys, envelope, backend);
  return opener;
}

ObjectOpener ObjectOpener::for_salt(const RepositoryKeys& keys, ObjectKind kind, const Salt& salt,
                                    CryptoBackend backend) {
  ObjectOpener opener;
  opener.envelope_ = {.kind = kind, .salt = salt, .commitment = {}};
  opener.repository_ = keys.repository();
  opener.main_ = make_cipher(keys, envelope_class(kind), opener.envelope_, backend);
  opener.data_ = make_data_cipher(keys, opener.envelope_, backend);
  return opener;
}

Result<void> ObjectOpener::open(const SealLabel& label, ByteView sealed, MutableByteView plain) const {
  const auto where = [&] {
    return std::string(object_kind_name(envelope_.kind)) + ": seal " + std::to_string(label.ordinal) + " of kind " +
           std::to_string(static_cast<unsigned>(label.kind));
  };
  if (sealed.size() < kSealBytes) return corrupt(where(), ": ", sealed.size(), " bytes are too few for a tag");
  DRS_ASSERT(plain.size() == sealed.size() - kSealBytes, "a seal has the size of its plaintext plus the tag");
  auto opened =
      choose_cipher(label, data_, main_)
          .open(nonce_of(label.ordinal), additional_data(repository_, envelope_, label, name_), sealed, plain);
  if (!opened.ok()) return std::move(opened).error().with_context(where());
  return {};
}

Result<Bytes> ObjectOpener::open(const SealLabel& label, ByteView sealed) const {
  Bytes plain(sealed.size() < kSealBytes ? 0 : sealed.size() - kSealBytes);
  DRS_RETURN_IF_ERROR(open(label, sealed, plain));
  return plain;
}

}  // namespace drs
