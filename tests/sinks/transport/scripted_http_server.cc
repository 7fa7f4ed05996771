#include "tests/sinks/transport/scripted_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>

#include "io/base/ascii.h"
#include "io/base/result.h"

namespace drs::testing {
namespace {

bool send_all(int socket, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = ::send(socket, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

// The value of a header, by its name in lower case; empty if it is absent.
std::string header_value(const std::string& head, const std::string& name) {
  const std::string lower = ascii_lower(head);
  const std::size_t at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::size_t content_length(const std::string& head) {
  return std::strtoull(header_value(head, "content-length").c_str(), nullptr, 10);
}

}  // namespace

ScriptedAnswer answer(int status, const std::string& body, const std::string& headers) {
  return {"HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
              headers + "\r\n" + body,
          false,
          {}};
}

ScriptedAnswer s3_stored() {
  return answer(200, "", "ETag: \"e\"\r\nx-amz-checksum-sha256: " + std::string(kEchoedChecksum) + "\r\n");
}

ScriptedAnswer s3_error(int status, const std::string& code) {
  return answer(status, "<Error><Code>" + code + "</Code><Message>because</Message></Error>");
}

ScriptedAnswer cut_off(const std::string& bytes) {
  return {bytes, true, {}};
}

ScriptedHttpServer::ScriptedHttpServer(std::vector<ScriptedAnswer> script)
    : ScriptedHttpServer([script = std::deque(script.begin(), script.end())](const SeenRequest&) mutable {
        ScriptedAnswer next = script.front();
        if (script.size() > 1) script.pop_front();
        return next;
      }) {}

ScriptedHttpServer::ScriptedHttpServer(std::function<ScriptedAnswer(const SeenRequest&)> respond)
    : respond_(std::move(respond)) {
  listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool listening = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                         ::listen(listener_.get(), 64) == 0 &&
                         ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  DRS_ASSERT(listening, "no port on localhost");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_all(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  stopped_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
  for (const int socket : sockets_) ::close(socket);
}

std::string ScriptedHttpServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<SeenRequest> ScriptedHttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedHttpServer::accept_all() {
  while (!stopped_) {
    const int socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    connections_.emplace_back([this, socket] { serve(socket); });
  }
}

ScriptedAnswer ScriptedHttpServer::take(SeenRequest request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
  return respond_(requests_.back());
}

void ScriptedHttpServer::serve(int socket) {
  std::string pending;
  std::array<char, 65536> buffer;
  const auto read_more = [&] {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got > 0) pending.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
  };
  for (;;) {
    std::size_t end = 0;
    while ((end = pending.find("\r\n\r\n")) == std::string::npos)
      if (!read_more()) return;
    SeenRequest request{pending.substr(0, end), ""};
    pending.erase(0, end + 4);
    const std::size_t length = content_length(request.head);
    while (pending.size() < length)
      if (!read_more()) return;
    request.body = pending.substr(0, length);
    pending.erase(0, length);
    const std::size_t now = ++at_once_;
    most_at_once_ = std::max<std::size_t>(most_at_once_, now);
    const std::string checksum = header_value(request.head, "x-amz-checksum-sha256");
    ScriptedAnswer next = take(std::move(request));
    if (const std::size_t at = next.bytes.find(kEchoedChecksum); at != std::string::npos)
      next.bytes.replace(at, kEchoedChecksum.size(), checksum);
    std::this_thread::sleep_for(next.late);
    const bool sent = send_all(socket, next.bytes);
    --at_once_;
    if (!sent || next.close) {
      ::shutdown(socket, SHUT_RDWR);
      return;
    }
  }
}

}  // namespace drs::testing
