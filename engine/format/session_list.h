// The list of session uuids in pack tables and recipe parts: block ids refer to a session by a small number instead of
// 16 bytes. Sessions are listed in the order of first use (FORMAT.md "Pack").
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Assigns a number to each session.
class SessionNumbers {
 public:
  std::uint32_t number_of(const Uuid& session);
  [[nodiscard]] std::size_t count() const { return sessions_.size(); }
  // u32 count, then the uuids.
  void write(ByteWriter& writer) const;

 private:
  std::vector<Uuid> sessions_;
  std::unordered_map<Uuid, std::uint32_t, FixedBytesHash> numbers_;
};

// A decoded list, which checks that sessions are used in list order.
class SessionList {
 public:
  // Errors: kTruncated; kCorrupt (a session is listed twice).
  static Result<SessionList> read(ByteReader& reader, std::string_view what);
  // Returns the session with that number. First uses must be in increasing order. Errors: kCorrupt.
  Result<Uuid> use(std::uint64_t number);
  // Call after the last use: checks that all sessions were used. Errors: kCorrupt.
  [[nodiscard]] Result<void> finish() const;

 private:
  SessionList(std::vector<Uuid> sessions, std::string_view what) : sessions_(std::move(sessions)), what_(what) {}
  std::vector<Uuid> sessions_;
  std::string_view what_;
  std::size_t used_count_ = 0;
};

}  // namespace drs
