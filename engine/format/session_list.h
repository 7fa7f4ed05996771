// The list of session uuids that pack tables and recipe parts store, so that a block's id takes a small number instead
// of 16 bytes. Sessions stand in the order of their first use (FORMAT.md "Pack").
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Gives each session its number.
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

// A list that was read, and the check that its users come in the right order.
class SessionList {
 public:
  // Errors: kTruncated; kCorrupt (a session twice).
  static Result<SessionList> read(ByteReader& reader, std::string_view what);
  // The session of that number. Numbers must come in order of first use. Errors: kCorrupt.
  Result<Uuid> use(std::uint64_t number);
  // After the last use: that all were used. Errors: kCorrupt.
  [[nodiscard]] Result<void> finish() const;

 private:
  SessionList(std::vector<Uuid> sessions, std::string_view what) : sessions_(std::move(sessions)), what_(what) {}
  std::vector<Uuid> sessions_;
  std::string_view what_;
  std::size_t used_count_ = 0;
};

}  // namespace drs
