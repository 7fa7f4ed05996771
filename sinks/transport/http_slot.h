// HttpSlot: one libcurl handle with the state of a transfer on it, and the callbacks that libcurl uses to send and
// receive. Internal to HttpClient, which owns the slots.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sinks/transport/http_client.h"

namespace drs {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// A handle is reused from transfer to transfer, so libcurl keeps its buffers.
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
  bool sending_waits = false;      // until upload_limit opens
  bool receiving_waits = false;    // until download_limit opens
  std::uint64_t passed_bytes = 0;  // of a whole object, before the part that was asked for
  bool enough_is_there = false;    // the rest of the body is not needed
  TransferWatch watch;
  bool connected = false;
  bool answered = false;  // the answer has begun; "100 Continue" does not count
  std::uint64_t answer_bytes = 0;
  std::size_t header_bytes = 0;
};

// The callbacks of libcurl; `user` is the slot. The first one runs when the connection is established.
int take_connection(void* user, char* ip, char* local_ip, int port, int local_port);
std::size_t send_body(char* out, std::size_t size, std::size_t count, void* user);
// A kept connection may turn out to be closed; libcurl then sends the request again.
int seek_body(void* user, curl_off_t offset, int origin);
std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user);
std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user);

// Reports the progress of the transfer to the watch of the slot.
void note_movement(HttpSlot& slot, TransferWatch::Time now);
// Why a transfer ended without a complete answer.
Error transfer_error(const HttpSlot& slot, CURLcode code);

}  // namespace drs
