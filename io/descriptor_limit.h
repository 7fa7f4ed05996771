// How many descriptors this process may have. The usual soft limit (1,024) is there for programs that use select(2); a
// restore or a check on many threads needs more, so the program raises it to the hard limit. Its children get the old
// one back.
#pragma once

namespace drs {

// Raises the soft limit to the hard one; where that is refused, it stays. Once, before any thread is started.
void raise_descriptor_limit();
// In a child, before it becomes another program: the limit from before raise_descriptor_limit. A system call only, so
// that it may follow vfork.
void restore_descriptor_limit();

}  // namespace drs
