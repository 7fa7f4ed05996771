// The local store: a directory in which an object's key is its path.
//
// A put writes a temporary file in `.incoming/`, which no key can name, and syncs it. It then links the file to its
// final name (link(2) never replaces), removes the temporary name, and syncs the final directory. The detour through
// `.incoming` loses nothing: links work across the directories of one file system, the bytes are durable before they
// get the name, and the name is durable once its directory and, once each, the parents are synced. The temporary name
// need not survive a power cut; clean_incoming removes leftovers. If the file system refuses links, the file is renamed
// without replacing. Two names for one file are harmless, since the file is never written again.
//
// A put that finds the name taken syncs the directory before it returns kAlreadyExists, since the creator of the name
// may have died before its own sync. `secure` does the same for listed names, then looks each up again, because a
// writer whose directory sync failed removes its name. A failed sync is final. After one of a file, the put fails and
// the file is removed. After one of a directory, every later put into it through this store fails with kIo, and the new
// names are removed (a power cut may bring them back).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "io/base/result.h"
#include "io/file_system.h"
#include "sinks/local/direct_io.h"
#include "sinks/object_store.h"

namespace drs {

struct LocalStoreOptions {
  std::size_t parallel = 4;  // puts at once, and as many gets
  DirectIo direct = DirectIo::kWhereAligned;
};

// Errors: those of FileSystem::make_ring.
Result<std::unique_ptr<ObjectStore>> open_local_store(std::shared_ptr<FileSystem> files, LocalStoreOptions options);

// Removes temporary files that were last written more than `older_than_ns` before `now_ns` (since 1970), and returns
// how many. They belong to processes that died. A live process that was stopped for so long loses its put, never a
// finished object. Callers use kIncomingAgeNs. Errors: those of FileSystem.
inline constexpr std::int64_t kIncomingAgeNs = std::int64_t{24} * 3600 * 1'000'000'000;
Result<std::size_t> clean_incoming(FileSystem& files, std::int64_t older_than_ns, std::int64_t now_ns);

}  // namespace drs
