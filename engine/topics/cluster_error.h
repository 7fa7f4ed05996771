// Errors of clusters, as what they mean for a command: a broker that does not answer is not a repository that does not.
#pragma once

#include <utility>

#include "io/base/result.h"

namespace drs {

// Of the cluster that is archived: kSource. Errors that are not of the cluster itself keep their code.
Error as_source_error(Error error);
// Of the cluster that is restored to: kSinkClosed.
Error as_target_error(Error error);

template <typename T>
Result<T> of_source(Result<T> result) {
  if (result.ok()) return result;
  return as_source_error(std::move(result).error());
}
template <typename T>
Result<T> of_target(Result<T> result) {
  if (result.ok()) return result;
  return as_target_error(std::move(result).error());
}

}  // namespace drs
