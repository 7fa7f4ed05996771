#include "io/descriptor_limit.h"

#include <sys/resource.h>

namespace drs {
namespace {

bool raised = false;
rlimit limit_before{};

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  const rlimit highest{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &highest) != 0) return;
  limit_before = limit;
  raised = true;
}

void restore_descriptor_limit() {
  if (raised) static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit_before));
}

}  // namespace drs
