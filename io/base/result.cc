#include "io/base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace drs {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kSource: return "source";
    case ErrorCode::kCorrupt: return "corrupt";
    case ErrorCode::kTruncated: return "truncated";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kNoSpace: return "no-space";
    case ErrorCode::kDenied: return "denied";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kNotFound: return "not-found";
    case ErrorCode::kAlreadyExists: return "already-exists";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kNoRepository: return "no-repository";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kWrongKey: return "wrong-key";
    case ErrorCode::kRollback: return "rollback";
    case ErrorCode::kFormatTooNew: return "format-too-new";
    case ErrorCode::kSinkClosed: return "sink-closed";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnsettled: return "unsettled";
    case ErrorCode::kLimitMissed: return "limit-missed";
    case ErrorCode::kNoSnapshot: return "no-snapshot";
  }
  return "internal";
}

Error Error::with_context(std::string_view context) && {
  message.insert(0, ": ");
  message.insert(0, context);
  return std::move(*this);
}

Error Error::with_context(std::string_view context) const& {
  return Error(*this).with_context(context);
}

Error error_from_errno(int number, std::string_view what) {
  ErrorCode code = ErrorCode::kIo;
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: code = ErrorCode::kNoSpace; break;
    case EACCES:
    case EPERM:
    case EROFS: code = ErrorCode::kDenied; break;
    case ENOENT: code = ErrorCode::kNotFound; break;
    case EEXIST: code = ErrorCode::kAlreadyExists; break;
    case EPIPE: code = ErrorCode::kSinkClosed; break;
    case ECANCELED: code = ErrorCode::kCancelled; break;
    default: break;
  }
  std::string text(what);
  text += ": ";
  text += std::strerror(number);
  return Error(code, std::move(text), number);
}

void assert_failed(const char* expression, const char* text, std::source_location where) {
  std::fprintf(stderr, "drstream: internal error at %s:%u: %s (%s)\n", where.file_name(),
               static_cast<unsigned>(where.line()), text, expression);
  std::abort();
}

}  // namespace drs
