#include "engine/topics/cluster_error.h"

namespace drs {
namespace {

Error as_cluster_error(Error error, ErrorCode code) {
  switch (error.code) {
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
    case ErrorCode::kUsage:
    case ErrorCode::kBusy: return error;
    default: break;
  }
  error.code = code;
  return error;
}

}  // namespace

Error as_source_error(Error error) {
  return as_cluster_error(std::move(error), ErrorCode::kSource);
}

Error as_target_error(Error error) {
  return as_cluster_error(std::move(error), ErrorCode::kSinkClosed);
}

}  // namespace drs
