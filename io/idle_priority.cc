#include "io/idle_priority.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace drs {

Result<void> run_when_idle() {
  sched_param parameters = {};
  if (::sched_setscheduler(0, SCHED_IDLE, &parameters) != 0)
    return error_from_errno(errno, "the class for idle processors cannot be set");
  constexpr int kClass = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);
  if (::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, kClass) != 0)
    return error_from_errno(errno, "the class for idle disks cannot be set");
  return {};
}

}  // namespace drs
