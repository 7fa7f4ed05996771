// Whether two opened repositories are one place under two names: a symbolic link, a bind mount, a second address of one
// bucket. Comparing the names does not show it; writing to one and listing the other does.
#pragma once

#include "engine/repository/repository.h"
#include "engine/repository/write_session.h"
#include "io/base/result.h"

namespace drs {

// Two places with one repository id may be a repository and its replica. A session object distinguishes these: it is
// written to `a` for a moment, and searched in the list of `b`. Errors: the stores'.
Result<bool> is_same_place(Repository& a, Repository& b, const WriteSession::Identity& identity);

}  // namespace drs
