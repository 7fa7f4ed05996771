// Parses the answers of the JSON API of Google Cloud Storage. Pure functions of bytes.
//
// An answer that cannot be parsed is kUnavailable: it says nothing about what is stored, and the same request may
// succeed later. Texts of the server are made safe by foreign_text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct GcsObject {
  std::string name;  // the name in the bucket
  std::uint64_t size_bytes = 0;
  std::int64_t created_ns = 0;  // since 1970; 0 if unknown
  std::string crc32c;           // of its bytes, in Base64 as in the API; empty if unknown
  std::string storage_class;    // empty if unknown
};
// https://cloud.google.com/storage/docs/json_api/v1/objects#resource
Result<GcsObject> parse_gcs_object(ByteView json);

struct GcsListPage {
  std::vector<GcsObject> objects;
  std::string next_page_token;  // empty: this was the last page
};
// https://cloud.google.com/storage/docs/json_api/v1/objects/list
Result<GcsListPage> parse_gcs_list(ByteView json);

struct GcsError {
  std::string reason;       // "rateLimitExceeded"; empty if the body has none
  std::string message;      // the other text to show; empty for an HTML page
  bool of_the_api = false;  // an error in the form of the API; otherwise a proxy sent it
};
// Parses any answer that is not a success: the JSON of the API or any other body. Never fails.
GcsError parse_gcs_error(ByteView body);

// A checksum as the API writes it: big-endian, in Base64.
std::string gcs_crc32c_text(std::uint32_t crc32c);

}  // namespace drs
