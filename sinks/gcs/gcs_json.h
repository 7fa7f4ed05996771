// What the JSON API of Google Cloud Storage answers. Pure functions of bytes.
//
// An answer that cannot be understood is kUnavailable: it says nothing about what is stored, and the same request may
// be answered better later. Texts of the server come out as foreign_text makes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct GcsObject {
  std::string name;  // as the bucket has it
  std::uint64_t size_bytes = 0;
  std::int64_t created_ns = 0;  // since 1970; 0 where the answer does not say
  std::string crc32c;           // of its bytes, in Base64 as the API writes it; empty where the answer does not say
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
  std::string reason;       // "rateLimitExceeded"; empty where the body does not say
  std::string message;      // what else there is to show; empty for a page of HTML
  bool of_the_api = false;  // as the API writes errors; else it came from something in between
};
// Of any answer that is no success: the API's JSON, or whatever else came. Never fails.
GcsError parse_gcs_error(ByteView body);

// As the API writes a checksum: big-endian, in Base64.
std::string gcs_crc32c_text(std::uint32_t crc32c);

}  // namespace drs
