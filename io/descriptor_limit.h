// The limit on open descriptors (RLIMIT_NOFILE). The usual soft limit (1,024) exists for programs that use select(2). A
// restore or a check on many threads needs more, so the program raises it to the hard limit and restores the old limit
// in its children.
#pragma once

namespace drs {

// Raises the soft limit to the hard limit; leaves it unchanged if the kernel refuses. Call once, before any thread
// starts.
void raise_descriptor_limit();
// Restores the limit from before raise_descriptor_limit. Called in a child before exec; makes only a system call, so it
// is safe after vfork.
void restore_descriptor_limit();

}  // namespace drs
