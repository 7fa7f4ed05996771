// The local store: a directory in which an object's key is its path.
//
// A put writes a temporary file in `.incoming/`, which no key can name, syncs it, gives it its final name by link(2),
// which never replaces, removes the temporary name, and syncs the final directory. That `.incoming` is not the final
// directory loses nothing: link works across the directories of one file system, the file's bytes are durable before
// they get the name, and the final name is durable once the final directory (and, once each, its parents) is synced.
// Whether the temporary name survives a power cut does not matter; leftovers are removed by clean_incoming. Where links
// are refused the file is renamed without replacing instead. Two names for one file are harmless: nobody writes to it
// any more.
//
// A put that finds the name taken syncs the directory before it says kAlreadyExists, since whoever created the name may
// have died before doing so. `secure` does the same for names that a list has shown, then looks each up again: a writer
// whose sync of the directory failed takes its name away. A failed sync is final: of a file, the put fails and the file
// is removed; of a directory, all later puts into it through this store fail too, with kIo, and their names are removed
// again (they may return after a power cut).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "io/file_system.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

struct LocalStoreOptions {
  std::size_t parallel = 4;  // puts written at once, and as many gets
  bool direct = true;        // O_DIRECT where bodies are aligned to kDirectAlignment and the file system takes it
};

// Errors: those of FileSystem::make_ring.
Result<std::unique_ptr<ObjectStore>> open_local_store(std::shared_ptr<FileSystem> files, LocalStoreOptions options);

// Removes temporary files that were last written to more than `older_than_ns` before `now_ns` (since 1970), and returns
// how many. They belong to processes that died; a live one that was stopped for so long loses its put, never a finished
// object. Callers use kIncomingAgeNs. Errors: those of FileSystem.
inline constexpr std::int64_t kIncomingAgeNs = std::int64_t{24} * 3600 * 1'000'000'000;
Result<std::size_t> clean_incoming(FileSystem& files, std::int64_t older_than_ns, std::int64_t now_ns);

}  // namespace drs
