// CloudProbe: single requests to a cloud store, each made once, with the complete answer: for `drstream doctor`, which
// shows how a store really behaves. Threads: one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sinks/cloud/cloud_store.h"

namespace drs {

class CloudProbe {
 public:
  static Result<std::unique_ptr<CloudProbe>> make(std::unique_ptr<CloudProtocol> protocol,
                                                  const HttpClientOptions& options);

  [[nodiscard]] CloudProtocol& protocol() { return *protocol_; }

  struct Answer {
    Result<void> result;  // as the protocol judges it
    HttpTransfer transfer;
    std::chrono::nanoseconds took{0};
  };
  // `what` is for messages: "put doctor/probe". Follows one redirect, and repeats once a request that the protocol can
  // improve (Judgement::Kind::kOnceMore); repeats nothing else.
  Answer ask(StoreRequest request, RequestKind kind, std::string what);

 private:
  CloudProbe(std::unique_ptr<CloudProtocol> protocol, std::unique_ptr<HttpClient> client)
      : protocol_(std::move(protocol)), client_(std::move(client)) {}
  const std::unique_ptr<CloudProtocol> protocol_;
  const std::unique_ptr<HttpClient> client_;
};

}  // namespace drs
