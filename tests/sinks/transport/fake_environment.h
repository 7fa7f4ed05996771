// An Environment whose variables, files, commands, services and clock a test sets.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sinks/transport/environment.h"
#include "sinks/transport/iso_time.h"

namespace drs::test {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return now_ns_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(now_ns_));
  }
  void set(std::string_view time) { now_ns_ = parse_iso_time(time).value(); }
  void advance(std::chrono::nanoseconds duration) { now_ns_ += duration.count(); }

 private:
  std::int64_t now_ns_ = parse_iso_time("2026-11-20T00:00:00Z").value();
};

struct Reply {
  int status = 200;
  std::string body;
};

// A request as the service received it.
struct SeenRequest {
  std::string method_and_url;
  std::vector<HttpHeader> headers;
  std::string body;
  bool bypass_proxy = false;

  [[nodiscard]] std::string header(std::string_view name) const {
    for (const HttpHeader& header : headers)
      if (header.name == name) return header.value;
    return "absent";
  }
};

class FakeEnvironment {
 public:
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::map<std::string, Error> unreadable_files;
  std::map<std::string, std::string> commands;  // with their output
  std::map<std::string, Error> failing_commands;
  // Keyed by "GET http://host/path": returned one after the other; the last is repeated. Without an entry there is no
  // answer.
  std::map<std::string, std::vector<Reply>> replies;
  std::vector<SeenRequest> seen;
  FakeClock clock;

  // Valid as long as this object.
  Environment environment() {
    return {.environment = [this](const char* name) { return variable(name); },
            .read_file = [this](const std::string& path) { return read(path); },
            .fetch = [this](const HttpRequest& request) { return answer(request); },
            .run_command = [this](const std::string& command) { return run(command); },
            .clock = clock};
  }
  [[nodiscard]] std::size_t seen_count(const std::string& method_and_url) const {
    std::size_t count = 0;
    for (const SeenRequest& request : seen) count += request.method_and_url == method_and_url ? 1U : 0U;
    return count;
  }

 private:
  [[nodiscard]] std::optional<std::string_view> variable(const std::string& name) const {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }
  [[nodiscard]] Result<SecretBytes> read(const std::string& path) const {
    if (const auto error = unreadable_files.find(path); error != unreadable_files.end()) return error->second;
    const auto found = files.find(path);
    if (found == files.end()) return error_from_errno(ENOENT, "'" + path + "'");
    return SecretBytes::copy_of(as_bytes(found->second));
  }
  [[nodiscard]] Result<SecretBytes> run(const std::string& command) const {
    if (const auto error = failing_commands.find(command); error != failing_commands.end()) return error->second;
    const auto found = commands.find(command);
    if (found == commands.end()) return Error(ErrorCode::kUsage, "cannot run '" + command + "'");
    return SecretBytes::copy_of(as_bytes(found->second));
  }
  Result<HttpResponse> answer(const HttpRequest& request) {
    const std::string name = request.method + ' ' + request.url;
    seen.push_back({name, request.headers, std::string(as_text(request.body.view())), request.bypass_proxy});
    const auto found = replies.find(name);
    if (found == replies.end()) return Error(ErrorCode::kUnavailable, "nobody answers");
    Reply reply = found->second.front();
    if (found->second.size() > 1) found->second.erase(found->second.begin());
    if (reply.status == 0) return Error(ErrorCode::kUnavailable, "the connection was lost");
    HttpResponse response;
    response.status = reply.status;
    response.body = SecretBytes::copy_of(as_bytes(reply.body));
    return response;
  }
};

inline std::string text_of(const SecretBytes& secret) {
  return std::string(as_text(secret.view()));
}

// Asserts an error of that code whose message contains `text` and no secret of the tests.
template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, std::string_view text) {
  ASSERT_FALSE(result.ok()) << "expected: " << text;
  EXPECT_EQ(error_code_name(result.error().code), error_code_name(code)) << result.error().message;
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
  EXPECT_EQ(result.error().message.find("hunter2"), std::string::npos) << result.error().message;
}

}  // namespace drs::test
