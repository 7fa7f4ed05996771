// What a `drstream forget` is asked to remove: by rules, which snapshots or whole streams by name, or damaged
// manifests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/forget.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/repository/snapshots.h"
#include "io/base/result.h"
#include "tools/command.h"
#include "tools/commands/from_repository.h"
#include "tools/repository/keep_rules_text.h"
#include "tools/repository/seen_heads.h"
#include "tools/repository/selector_text.h"

namespace drs {

struct ForgetCommand {
  std::vector<std::string> targets;  // streams and patterns, or snapshots
  std::vector<std::string> all;      // streams to remove as a whole
  std::vector<std::string> damaged;  // names of manifests
  KeepOptions keep;
  std::vector<std::string> tags;
  std::string time_zone;
  FromOptions copy;  // the repository of --require-copy
  bool prune = false;
  PruneOptions prune_options;
  bool dry_run = false;
  bool yes = false;
  bool force = false;
};

struct ForgetChoice {
  enum class By : std::uint8_t { kRules, kNames };
  By by = By::kRules;
  // By rules: those of each stream, and where they come from.
  struct Rules {
    KeepRules rules;
    std::string origin;  // "command line", "/etc/drstream/config.toml:12"
  };
  std::map<std::string, Rules> rules;
  std::vector<std::string> unruled;  // streams for which no rule is given: they keep everything
  TagFilter tags;                    // rules look only at snapshots with all of them
  // By names.
  std::vector<const Snapshot*> named;  // of the catalog
  std::vector<std::string> damaged;    // manifests that cannot be read
};

// Options that contradict each other, and a call without anything to do. Call it before the repository is opened.
// Errors: kUsage.
Result<void> check_forget(const CommandContext& context, const ForgetCommand& command);

// Errors: kUsage (no rule at all; rules or tags for what is named; snapshots beside streams); those of SeenHeads::find
// and match (no such stream or snapshot).
Result<ForgetChoice> choose_to_forget(CommandContext& context, const ForgetCommand& command, const SeenHeads& seen,
                                      const SnapshotCatalog& catalog);

}  // namespace drs
