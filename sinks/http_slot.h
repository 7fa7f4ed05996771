// HttpSlot: one handle of libcurl with what a transfer on it needs, and the functions that libcurl calls to send and
// receive. Of HttpClient's inside: the client owns the slots.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sinks/http_client.h"

namespace drs {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// One connection's handle, reused from transfer to transfer: libcurl's buffers stay.
struct HttpSlot {
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::array<char, CURL_ERROR_SIZE> error{};
  HttpTransfer* transfer = nullptr;
  std::size_t body_bytes = 0;
  std::size_t sent_bytes = 0;  // handed to libcurl
  bool overflowed = false;
  RateLimit* upload_limit = nullptr;
  RateLimit* download_limit = nullptr;
  bool sending_waits = false;      // for upload_limit
  bool receiving_waits = false;    // for download_limit
  std::uint64_t passed_bytes = 0;  // of a whole object, before the part that was asked for
  bool enough_is_there = false;    // what is behind it is not waited for
  TransferWatch watch;
  bool connected = false;
  bool answered = false;  // the answer has begun, and it is no "100 Continue"
  std::uint64_t answer_bytes = 0;
  std::size_t header_bytes = 0;
};

// What libcurl calls; `user` is the slot.
// The connection stands, and the request goes out on it.
int take_connection(void* user, char* ip, char* local_ip, int port, int local_port);
std::size_t send_body(char* out, std::size_t size, std::size_t count, void* user);
// A connection that was kept alive may turn out closed: libcurl then begins again.
int seek_body(void* user, curl_off_t offset, int origin);
std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user);
std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user);

// Tells the slot's watch how far the transfer has come.
void note_movement(HttpSlot& slot, TransferWatch::Time now);
// Why a transfer ended without a complete answer.
Error transfer_error(const HttpSlot& slot, CURLcode code);

}  // namespace drs
