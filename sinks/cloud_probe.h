// CloudProbe: requests to a cloud store one by one, each made once, with all that its answer tells: for `drstream
// doctor`, which shows what a store really does. Threads: one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sinks/cloud_store.h"

namespace drs {

class CloudProbe {
 public:
  static Result<std::unique_ptr<CloudProbe>> make(std::unique_ptr<CloudProtocol> protocol,
                                                  const HttpClientOptions& options);

  [[nodiscard]] CloudProtocol& protocol() { return *protocol_; }

  struct Answer {
    Result<void> result;  // what the protocol makes of it
    HttpTransfer transfer;
    std::chrono::nanoseconds took{0};
  };
  // `what` is for messages: "put doctor/probe". A redirect is followed once, and a request that the protocol can make
  // better (Judgement::Kind::kOnceMore) is made once more; nothing else is made again.
  Answer ask(StoreRequest request, RequestKind kind, std::string what);

 private:
  CloudProbe(std::unique_ptr<CloudProtocol> protocol, std::unique_ptr<HttpClient> client)
      : protocol_(std::move(protocol)), client_(std::move(client)) {}
  const std::unique_ptr<CloudProtocol> protocol_;
  const std::unique_ptr<HttpClient> client_;
};

}  // namespace drs
