// Runs the command of --passphrase-command and takes what it prints.
#pragma once

#include <span>
#include <string>

#include "io/bytes.h"
#include "io/cancel.h"
#include "io/result.h"

namespace drs {

// The command is cut into words (tools/word_list.h) and runs without a shell, with stdin from /dev/null (ours may be
// the stream), our stderr and terminal, and without the variables named. At most 64 KiB of output; as long as a person
// takes to answer. Errors: kUsage (the words), kWrongKey (it cannot run or did not exit 0), kCancelled.
Result<SecretBytes> run_passphrase_command(const std::string& command, std::span<const std::string> environment_remove,
                                           CancelToken& cancel);

}  // namespace drs
