#include "engine/pipeline/push/block_sealer.h"

#include <gtest/gtest.h>

#include <string>

namespace drs {
namespace {

class DecodesBackTest : public ::testing::TestWithParam<Codec> {
 protected:
  // Whether a stored block with the text `stored` passes the comparison with the read text `read`.
  [[nodiscard]] bool decodes_back(const std::string& stored, const std::string& read,
                                  std::optional<std::size_t> flipped = std::nullopt) const {
    auto compressor = Compressor::make({GetParam(), GetParam() == Codec::kZstd ? 1 : 0}, kBlockBytesMax);
    auto decompressor = Decompressor::make();
    Bytes compressed(stored.size());
    const auto output = compressor->compress(as_bytes(stored), compressed);
    EXPECT_EQ(output->codec, GetParam());
    compressed.resize(output->bytes);
    const SealLabel label{SealKind::kDataBlock, output->codec, 5, stored.size()};
    Bytes sealed;
    sealer_.append(label, output->codec == Codec::kRaw ? as_bytes(stored) : ByteView(compressed), sealed);
    if (flipped) sealed[*flipped] ^= 1;
    Bytes opened(output->bytes);
    Bytes decoded(stored.size());
    const bool raw = output->codec == Codec::kRaw;
    const auto same = check_decodes_back(opener_, label, sealed, xxh3_128(as_bytes(read)),
                                         {*decompressor, raw ? decoded : opened, decoded});
    if (!same.ok()) {
      EXPECT_EQ(same.error().code, ErrorCode::kInternal);
    }
    return same.ok();
  }

  const std::string text_ = std::string(2000, 'a') + "b" + std::string(2000, 'c');
  const RepositoryKeys keys_{Bytes(32, 7), Uuid{}};
  const ObjectSealer sealer_{keys_, ObjectKind::kPack, "", CryptoBackend::kOpenssl};
  const ObjectOpener opener_ = *ObjectOpener::make(keys_, sealer_.envelope(), "", CryptoBackend::kOpenssl);
};

TEST_P(DecodesBackTest, ABlockThatIsWhatWasRead) {
  EXPECT_TRUE(decodes_back(text_, text_));
}

TEST_P(DecodesBackTest, NotOneThatAFaultyCompressorMade) {
  std::string other = text_;
  other[2000] = 'd';
  EXPECT_FALSE(decodes_back(other, text_));
}

TEST_P(DecodesBackTest, NotOneThatAFaultyMemoryHasChanged) {
  EXPECT_FALSE(decodes_back(text_, text_, 3));
}

INSTANTIATE_TEST_SUITE_P(Codecs, DecodesBackTest, ::testing::Values(Codec::kRaw, Codec::kLz4, Codec::kZstd));

}  // namespace
}  // namespace drs
