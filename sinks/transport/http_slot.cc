#include "sinks/transport/http_slot.h"

#include <algorithm>
#include <cstring>

#include "codecs/tls_session.h"
#include "io/base/ascii.h"

namespace drs {
namespace {

constexpr std::size_t kHeaderBytesMax = 256 * kKiB;  // of one answer and of those before it, such as 100 Continue

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// libcurl gives access to the TLS session only while the transfer owns the connection.
void take_tls(CURL* easy, HttpTransfer& transfer) {
  curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr) return;
  if (session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr) return;
  const TlsSession tls = describe_tls_session(session->internals);
  transfer.tls_version = tls.version;
  transfer.certificate_expires_ns = tls.certificate_expires_ns;
}

}  // namespace

int take_connection(void* user, char* /*ip*/, char* /*local_ip*/, int /*port*/, int /*local_port*/) {
  static_cast<HttpSlot*>(user)->connected = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t send_body(char* out, std::size_t size, std::size_t count, void* user) {
  HttpSlot& slot = *static_cast<HttpSlot*>(user);
  std::size_t room = size * count;
  if (slot.upload_limit != nullptr && slot.sent_bytes < slot.body_bytes) {
    if (!slot.upload_limit->open(std::chrono::steady_clock::now())) {
      slot.sending_waits = true;
      return CURL_READFUNC_PAUSE;
    }
    room = std::min(room, slot.upload_limit->piece_bytes());
  }
  std::size_t skip = slot.sent_bytes;
  std::size_t copied = 0;
  for (const ByteView piece : slot.transfer->body) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    const ByteView rest = piece.subspan(skip);
    skip = 0;
    const std::size_t bytes = std::min(rest.size(), room - copied);
    std::memcpy(out + copied, rest.data(), bytes);
    copied += bytes;
    if (copied == room) break;
  }
  slot.sent_bytes += copied;
  if (slot.upload_limit != nullptr) slot.upload_limit->spend(copied);
  return copied;
}

int seek_body(void* user, curl_off_t offset, int origin) {
  HttpSlot& slot = *static_cast<HttpSlot*>(user);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > slot.body_bytes) return CURL_SEEKFUNC_FAIL;
  slot.transfer->sent_again = slot.transfer->sent_again || slot.sent_bytes > 0;
  slot.sent_bytes = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  HttpSlot& slot = *static_cast<HttpSlot*>(user);
  HttpTransfer& transfer = *slot.transfer;
  const std::string_view line(data, size * count);
  slot.header_bytes += line.size();
  if (slot.header_bytes > kHeaderBytesMax) return 0;  // ends the transfer
  if (transfer.wants_tls && transfer.tls_version.empty()) take_tls(slot.easy.get(), transfer);
  if (line.starts_with("HTTP/")) {
    // A preceding "100 Continue" or the like does not count.
    transfer.answer_headers.clear();
    slot.answered = line.substr(std::min(line.find(' '), line.size())).substr(0, 2) != " 1";
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    transfer.answer_headers.push_back(
        {ascii_lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  }
  if (slot.answered) slot.answer_bytes += line.size();
  return size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  HttpSlot& slot = *static_cast<HttpSlot*>(user);
  HttpTransfer& transfer = *slot.transfer;
  const std::size_t bytes = size * count;
  if (slot.download_limit != nullptr) {
    if (!slot.download_limit->open(std::chrono::steady_clock::now())) {
      slot.receiving_waits = true;
      return CURL_WRITEFUNC_PAUSE;  // libcurl delivers the same bytes again
    }
    slot.download_limit->spend(bytes);
  }
  slot.answer_bytes += bytes;
  long status = 0;
  curl_easy_getinfo(slot.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300 || transfer.destination.empty()) {
    const std::size_t room = transfer.text_bytes_max - std::min(transfer.text_bytes_max, transfer.text.size());
    transfer.text.append(data, std::min(bytes, room));
    if (bytes <= room) return bytes;
    // The body may never end. An error message is complete enough at its beginning; any other truncated answer is
    // useless.
    (status >= 300 ? slot.enough_is_there : slot.overflowed) = true;
    return 0;
  }
  const std::size_t room = transfer.destination.size() - transfer.received_bytes;
  if (status == 200 && transfer.part_begin_bytes) {
    const auto passed =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, *transfer.part_begin_bytes - slot.passed_bytes));
    const std::size_t taken = std::min(bytes - passed, room);
    slot.passed_bytes += passed;
    std::memcpy(transfer.destination.data() + transfer.received_bytes, data + passed, taken);
    transfer.received_bytes += taken;
    slot.enough_is_there = passed + taken < bytes;
    return slot.enough_is_there ? 0 : bytes;  // 0 ends the transfer
  }
  if (bytes > room) {
    slot.overflowed = true;
    return 0;
  }
  std::memcpy(transfer.destination.data() + transfer.received_bytes, data, bytes);
  transfer.received_bytes += bytes;
  return bytes;
}

void note_movement(HttpSlot& slot, TransferWatch::Time now) {
  curl_off_t sent = 0;
  curl_easy_getinfo(slot.easy.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
  const auto sent_bytes = static_cast<std::uint64_t>(sent);
  auto phase = TransferWatch::Phase::kConnecting;
  if (slot.answered)
    phase = TransferWatch::Phase::kReceiving;
  else if (slot.connected)
    phase = sent_bytes < slot.body_bytes ? TransferWatch::Phase::kSending : TransferWatch::Phase::kWaiting;
  slot.watch.note(phase, sent_bytes + slot.answer_bytes, slot.sending_waits || slot.receiving_waits, now);
}

Error transfer_error(const HttpSlot& slot, CURLcode code) {
  const HttpTransfer& transfer = *slot.transfer;
  if (slot.overflowed && transfer.destination.empty())
    return {ErrorCode::kUnavailable, "the answer is longer than " + std::to_string(transfer.text_bytes_max) +
                                         " bytes, and no such answer of a store is: what answers there?"};
  if (slot.overflowed)
    return {ErrorCode::kUnavailable, "the server sent more than the " + std::to_string(transfer.destination.size()) +
                                         " bytes that were asked for"};
  std::string text = slot.error[0] != 0 ? slot.error.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT: return {ErrorCode::kUsage, text};
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorCode::kUsage,
              text + "; install the package ca-certificates, or give the authority's certificate with --ca-file"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ErrorCode::kUsage, text + "; give the authority's certificate with --ca-file if it is your own"};
    default: return {ErrorCode::kUnavailable, text};
  }
}

}  // namespace drs
