// Writes index objects for packs, as few as possible: collects packs until an object is full. Memory: the blocks of one
// index object. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/format/index.h"
#include "engine/repository/repository.h"

namespace drs {

class IndexWriter {
 public:
  // No object becomes larger, so that a reader of it needs no more memory than for one of a push.
  static constexpr std::size_t kObjectBytesMax = 16 * kMiB;

  // `repository` and `store` must outlive the writer.
  IndexWriter(const Repository& repository, ObjectStore& store) : repository_(&repository), store_(&store) {}

  // Adds a pack; writes the object with those before it first if the pack does not fit. Errors: those of put_settled.
  Result<void> add(PackContents pack);
  // Writes the rest. On return every pack that was added is in a durable index object. Errors: those of put_settled.
  Result<void> flush();
  // The names of the objects written.
  [[nodiscard]] const std::vector<std::string>& written() const { return written_; }

 private:
  const Repository* repository_;
  ObjectStore* store_;
  std::vector<PackContents> pending_;
  std::size_t blocks_ = 0;
  std::size_t chunks_ = 0;
  std::vector<std::string> written_;
};

}  // namespace drs
