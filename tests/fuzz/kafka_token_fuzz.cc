// The output of a token command: an accepted token is not empty, and has an expiry and a principal.
#include "sinks/kafka/kafka_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::KafkaToken> token = drs::parse_kafka_token({data, size_bytes});
  if (token.ok()) {
    DRS_ASSERT(!token->token.empty(), "no token");
    DRS_ASSERT(token->expires_ms > 0, "a token without an expiry");
    DRS_ASSERT(!token->principal.empty(), "a token without a principal");
  } else {
    DRS_ASSERT(token.error().code == drs::ErrorCode::kUsage, "unexpected error code");
  }
  return 0;
}
