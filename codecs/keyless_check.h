// Where the SHA-256 of an object is found, so that its bytes can be checked without a key. Not stored: the kind of an
// object decides.
#pragma once

#include <cstdint>

namespace drs {

enum class KeylessCheck : std::uint8_t {
  kNameIsDigest,  // the last part of the object's name is the SHA-256 of its bytes, in hex
  kEndsInDigest,  // the last 32 bytes of the object are the SHA-256 of the bytes before them
};

}  // namespace drs
