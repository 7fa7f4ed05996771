// Whether two opened repositories are one place under two names: a symbolic link, a bind mount, a second address of one
// bucket. Their text does not tell; what is written to one and seen in the other does.
#pragma once

#include "engine/pipeline/push_session.h"
#include "engine/repository/repository.h"
#include "io/result.h"

namespace drs {

// Two places of one repository id may be a repository and its replica. Those are told apart by a session object,
// written to `a` for a moment and looked for in the list of `b`. Errors: the stores'.
Result<bool> is_same_place(Repository& a, Repository& b, const PushSession::Identity& identity);

}  // namespace drs
