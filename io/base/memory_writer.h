// Puts little-endian scalars and raw bytes one after the other into memory that has room for them. Checks nothing: for
// hot paths whose caller knows the size. ByteWriter (io/base/bytes.h) appends to a vector.
#pragma once

#include <cstring>

#include "io/base/bytes.h"

namespace drs {

class MemoryWriter {
 public:
  explicit MemoryWriter(Byte* at) : at_(at) {}
  template <typename Scalar>
  void scalar(Scalar value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void raw(ByteView bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  [[nodiscard]] Byte* at() const { return at_; }  // behind what was put

 private:
  Byte* at_;
};

}  // namespace drs
