// An HTTP server on localhost that does as told, request by request: answers with any bytes, cuts off, or says nothing.
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

// What happens to one request.
struct ScriptedAnswer {
  std::string bytes;   // sent as they are, but for kEchoedChecksum
  bool close = false;  // and then the connection is cut
  std::chrono::milliseconds late{0};
};
// In an answer: the value of the request's header x-amz-checksum-sha256, as S3 echoes it.
inline constexpr std::string_view kEchoedChecksum = "{checksum}";
ScriptedAnswer answer(int status, const std::string& body = "", const std::string& headers = "");
// As S3 answers: to a put of an object, and where something is not there.
ScriptedAnswer s3_stored();
ScriptedAnswer s3_error(int status, const std::string& code);
ScriptedAnswer cut_off(const std::string& bytes = "");

class ScriptedHttpServer {
 public:
  // One answer for each request, in the order in which they come; the last one again and again.
  explicit ScriptedHttpServer(std::vector<ScriptedAnswer> script);
  // Answers as `respond` says; it is called for one request at a time.
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
