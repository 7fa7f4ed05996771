// Which errors say something about one object, so that a check notes them and goes on, and which end the check.
#pragma once

#include "io/result.h"

namespace drs {

// The object's bytes are wrong or cannot be had. Not where we may not read it (kDenied): that says nothing about it.
inline bool is_object_fault(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCorrupt:
    case ErrorCode::kTruncated:
    case ErrorCode::kFormatTooNew:
    case ErrorCode::kIo:
    case ErrorCode::kNotFound: return true;
    default: return false;
  }
}

// The bytes themselves are gone: worth a damage mark. Not so what a right or a newer drstream may still read.
inline bool is_lasting_damage(const Error& error) {
  return error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kTruncated || error.code == ErrorCode::kIo;
}

}  // namespace drs
