// Where a sweep without a key left off: a file below --state-dir, one for each place and shard.
#pragma once

#include <string>
#include <string_view>

#include "verify/sweep.h"

namespace drs {

// One thread at a time.
class SweepCursorFile final : public SweepCursor {
 public:
  // `address`: of the repository (location_address).
  SweepCursorFile(const std::string& state_dir, std::string_view address, const SweepShard& shard);

  // A file that another program has changed or cut counts as none. Errors: kDenied, kIo.
  Result<std::vector<Verified>> load() override;
  // Errors: those of replace_file and of making the directory.
  Result<void> save(const std::vector<Verified>& records) override;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string directory_, path_;
};

}  // namespace drs
