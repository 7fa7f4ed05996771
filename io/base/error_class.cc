#include "io/base/error_class.h"

#include <cerrno>

namespace drs {
namespace {

// errno values by which a device or file system reports that it cannot return the stored bytes.
bool is_medium_errno(int number) {
  switch (number) {
    case EIO:
    case EBADMSG:    // XFS, btrfs: a checksum failed
    case EILSEQ:     // some block devices: a checksum failed
    case ENODATA:    // an unreadable sector
    case EREMOTEIO:  // an unreadable sector, reported by a remote bus
    case EUCLEAN:    // ext4, XFS: metadata is corrupt
      return true;
    default: return false;
  }
}

}  // namespace

bool is_shortage_errno(int number) {
  switch (number) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return true;
    default: return false;
  }
}

ErrorClass classify(const Error& error) {
  switch (error.code) {
    case ErrorCode::kCorrupt:
    case ErrorCode::kTruncated: return ErrorClass::kDamage;
    case ErrorCode::kFormatTooNew: return ErrorClass::kTooNew;
    case ErrorCode::kNotFound: return ErrorClass::kAbsent;
    case ErrorCode::kInternal: return ErrorClass::kMachine;
    case ErrorCode::kIo:
      if (is_medium_errno(error.error_number)) return ErrorClass::kDamage;
      return is_shortage_errno(error.error_number) ? ErrorClass::kMachine : ErrorClass::kStore;
    case ErrorCode::kBusy: return is_shortage_errno(error.error_number) ? ErrorClass::kMachine : ErrorClass::kOther;
    case ErrorCode::kDenied:
    case ErrorCode::kNoSpace:
    case ErrorCode::kUnavailable: return ErrorClass::kStore;
    case ErrorCode::kUsage:
    case ErrorCode::kSource:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
    case ErrorCode::kNoRepository:
    case ErrorCode::kWrongKey:
    case ErrorCode::kRollback:
    case ErrorCode::kSinkClosed:
    case ErrorCode::kCancelled:
    case ErrorCode::kUnsettled:
    case ErrorCode::kLimitMissed:
    case ErrorCode::kNoSnapshot: return ErrorClass::kOther;
  }
  return ErrorClass::kOther;
}

}  // namespace drs
