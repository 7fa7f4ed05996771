// The token with which SASL OAUTHBEARER logs in, as a command prints it.
#pragma once

#include <cstdint>
#include <string>

#include "io/base/bytes.h"
#include "io/base/cancel.h"
#include "io/child_process.h"

namespace drs {

struct KafkaToken {
  SecretBytes token;
  std::int64_t expires_ms = 0;  // since 1970-01-01 UTC
  std::string principal;
};

// Parses the output of a command: JSON {"token": TEXT, "expires_ms": NUMBER, "principal": TEXT}, of which a JSON Web
// Token replaces the latter two by its claims `exp` and `sub`; or such a token alone. Errors: kUsage.
Result<KafkaToken> parse_kafka_token(ByteView output);

// Runs a command line by /bin/sh, and parses what it prints. `child`: how to run it; without argv. Errors: as
// command_output and parse_kafka_token.
Result<KafkaToken> fetch_kafka_token(const std::string& command, ChildOptions child, CancelToken& cancel);

}  // namespace drs
