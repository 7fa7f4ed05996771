// An HTTP server on localhost that follows a script, request by request: sends any bytes, cuts off, or stays silent.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/fd.h"

namespace drs::testing {

struct SeenRequest {
  std::string head;  // request line and headers
  std::string body;
};

// The answer to one request.
struct ScriptedAnswer {
  std::string bytes;   // sent unchanged, except for kEchoedChecksum
  bool close = false;  // closes the connection after that
  std::chrono::milliseconds late{0};
};
// In an answer: the value of the request's header x-amz-checksum-sha256, as S3 echoes it.
inline constexpr std::string_view kEchoedChecksum = "{checksum}";
ScriptedAnswer answer(int status, const std::string& body = "", const std::string& headers = "");
// Answers of S3: to a put of an object, and an error.
ScriptedAnswer s3_stored();
ScriptedAnswer s3_error(int status, const std::string& code);
ScriptedAnswer cut_off(const std::string& bytes = "");

class ScriptedHttpServer {
 public:
  // One answer for each request, in order; the last one is repeated.
  explicit ScriptedHttpServer(std::vector<ScriptedAnswer> script);
  // Answers with the results of `respond`, which is called for one request at a time.
  explicit ScriptedHttpServer(std::function<ScriptedAnswer(const SeenRequest&)> respond);
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] std::vector<SeenRequest> requests() const;
  [[nodiscard]] std::size_t most_at_once() const { return most_at_once_; }

 private:
  void accept_all();
  void serve(int socket);
  ScriptedAnswer take(SeenRequest request);

  Fd listener_{-1};
  int port_ = 0;
  mutable std::mutex mutex_;
  const std::function<ScriptedAnswer(const SeenRequest&)> respond_;
  std::vector<SeenRequest> requests_;
  std::vector<std::thread> connections_;
  std::vector<int> sockets_;
  std::atomic<std::size_t> at_once_{0};
  std::atomic<std::size_t> most_at_once_{0};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace drs::testing
