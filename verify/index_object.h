// Reads the sections of a stored index object. This is verify's own reader: it shares only the decoders with
// BlockIndex.
#pragma once

#include <string>
#include <vector>

#include "engine/format/index.h"
#include "engine/repository/repository.h"

namespace drs {

class IndexObject {
 public:
  // Reads envelope, footer and summary. Errors: kTruncated, kCorrupt, kFormatTooNew; the store's.
  static Result<IndexObject> open(Repository& repository, ObjectStore& store, const ObjectInfo& info);

  [[nodiscard]] const std::string& name() const { return info_.key; }
  [[nodiscard]] std::uint64_t bytes() const { return info_.size_bytes; }
  [[nodiscard]] const IndexSummary& summary() const { return summary_; }
  [[nodiscard]] const ObjectOpener& opener() const { return opener_; }

  // Errors as `open`.
  Result<std::vector<DirectoryEntry>> read_directory(ObjectStore& store) const;
  Result<std::vector<Hook>> read_hooks(ObjectStore& store) const;

 private:
  IndexObject(ObjectInfo info, ObjectOpener opener, IndexSummary summary)
      : info_(std::move(info)), opener_(std::move(opener)), summary_(std::move(summary)) {}
  static Result<IndexObject> read(Repository& repository, ObjectStore& store, const ObjectInfo& info);
  Result<Bytes> read_section(ObjectStore& store, const SealLabel& label, std::uint64_t offset_bytes,
                             std::uint32_t sealed_bytes) const;

  ObjectInfo info_;
  ObjectOpener opener_;
  IndexSummary summary_;
};

}  // namespace drs
