#include "engine/format/session_list.h"

#include <unordered_set>

#include "engine/format/corrupt.h"

namespace drs {

std::uint32_t SessionNumbers::number_of(const Uuid& session) {
  const auto [entry, is_new] = numbers_.try_emplace(session, static_cast<std::uint32_t>(sessions_.size()));
  if (is_new) sessions_.push_back(session);
  return entry->second;
}

void SessionNumbers::write(ByteWriter& writer) const {
  writer.u32(static_cast<std::uint32_t>(sessions_.size()));
  for (const Uuid& session : sessions_) writer.raw(session.view());
}

Result<SessionList> SessionList::read(ByteReader& reader, std::string_view what) {
  const std::uint32_t count = reader.u32();
  if (count > reader.remaining() / Uuid::kBytes)
    return Error(ErrorCode::kTruncated, std::string(what) + ": " + std::to_string(count) +
                                            " sessions do not fit into the remaining " +
                                            std::to_string(reader.remaining()) + " bytes");
  std::vector<Uuid> sessions(count);
  std::unordered_set<Uuid, FixedBytesHash> seen;
  for (Uuid& session : sessions) {
    session = reader.fixed<16>();
    if (!seen.insert(session).second) return corrupt(what, ": session ", session.hex(), " is listed twice");
  }
  DRS_RETURN_IF_ERROR(reader.check());
  return SessionList(std::move(sessions), what);
}

Result<Uuid> SessionList::use(std::uint64_t number) {
  if (number >= sessions_.size())
    return corrupt(what_, ": session number ", number, " of ", sessions_.size(), " sessions");
  if (number > used_count_) return corrupt(what_, ": session number ", number, " is used before number ", used_count_);
  if (number == used_count_) ++used_count_;
  return sessions_[number];
}

Result<void> SessionList::finish() const {
  if (used_count_ != sessions_.size())
    return corrupt(what_, ": only ", used_count_, " of ", sessions_.size(), " sessions are used");
  return {};
}

}  // namespace drs
