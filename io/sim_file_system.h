// SimFileSystem: a deterministic disk in memory that shows the worst behaviour that real disks may show.
//
// Data survives a power cut once a later kSyncData completed; names survive once their directory was synced. Of all
// other changes a random subset survives, with writes torn at 512-byte sectors. A failed sync loses the data for good.
// Rings complete operations in random order, a few at a time, often short. Any operation can be made to fail. The same
// seed and the same calls give the same disk.
//
// Several "processes" share one object; each thread uses its own rings. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "io/sim_file_data.h"

namespace drs {

class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(std::uint64_t seed);
  ~SimFileSystem() override;  // all its rings must be destroyed before

  // FileSystem
  Result<OpenedFile> open(const std::string& path, OpenFlags flags) override;
  void drop_direct(int fd) override;
  Result<void> close(int fd) override;
  Result<void> truncate(int fd, std::uint64_t size_bytes) override;
  Result<void> reserve(int fd, std::uint64_t size_bytes) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> rename_no_replace(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<void> list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::uint64_t> size_of(int fd) override;
  Result<std::uint64_t> free_space_bytes() override;
  Result<std::unique_ptr<Ring>> make_ring(std::size_t depth) override;
  [[nodiscard]] std::string root_name() const override { return "sim"; }

  // The number of calls and completed ring operations so far. Creating a ring does not count.
  [[nodiscard]] std::uint64_t operations_seen() const;
  // Makes operation number `nth` (counted from 1) fail with `error_number` and change nothing, except that a failed
  // sync loses data. Later operations work. 0: none.
  void fail_nth(std::uint64_t nth, int error_number);
  // Makes operation number `nth` and all later ones fail with EIO until power_cut(), as if the machine had stopped. 0:
  // never.
  void halt_at(std::uint64_t nth);
  // Drops a random part of the unsynced changes, closes every file, and restarts the machine. Callers must create new
  // rings; operations left in old ones fail with EBADF.
  void power_cut();

  // Limits the disk from now on: growth beyond the capacity fails with ENOSPC. Default: unlimited.
  void set_capacity_bytes(std::uint64_t capacity_bytes);
  void set_direct_supported(bool supported);  // default: yes
  // The alignment that direct operations must have; others fail with EINVAL. Default: kDirectAlignment.
  void set_direct_unit_bytes(std::size_t unit_bytes);
  void set_links_supported(bool supported);  // default: yes
  void set_short_transfers(bool wanted);     // default: yes, one in eight
  // Advances the disk's clock, which starts in 2024 and moves a millisecond with each operation.
  void advance_clock(std::chrono::nanoseconds by);
  [[nodiscard]] std::int64_t now_ns() const;

 private:
  friend class SimRing;
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePointer>;
  enum class NodeKind : std::uint8_t { kFile, kDirectory };
  struct Node {
    bool is_directory = false;
    std::int64_t modified_ns = 0;
    SimFileData data;         // of a file
    Entries entries;          // of a directory, as processes see it
    Entries durable_entries;  // of a directory, after a power cut
  };
  // Changes of names that survive a power cut together or not at all: a rename changes two directories.
  struct NameChange {
    struct Step {
      NodePointer directory;
      std::string name;
      NodePointer node;  // null: the name is removed
    };
    std::vector<Step> steps;
  };
  struct OpenNode {
    NodePointer node;
    bool write = false;
    bool direct = false;
  };
  struct Parent {
    NodePointer directory;
    std::string leaf;
  };

  // The functions below require mutex_ to be held.
  int count_operation();  // returns 0, or the errno with which the operation must fail
  Result<void> begin(const char* what, const std::string& path);
  Result<NodePointer> find_directory(const char* what, const std::string& path) const;
  Result<Parent> parent_of(const char* what, const std::string& path) const;
  Result<OpenNode*> open_node(const char* what, int fd);
  NodePointer make_node(NodeKind kind);
  void change_names(NameChange change);
  static void make_durable(const NameChange& change);
  bool has_room(const Node& node, std::uint64_t size_bytes) const;
  std::uint64_t used_bytes() const;
  std::int64_t perform(const IoOperation& operation);
  std::int64_t transfer(const IoOperation& operation, OpenNode& opened);
  std::uint64_t random_below(std::uint64_t bound) { return random_() % bound; }

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  NodePointer root_;
  std::vector<std::weak_ptr<Node>> nodes_;  // every file that may still take space
  std::map<int, OpenNode> open_nodes_;
  std::vector<NameChange> unsynced_names_;
  int next_fd_;
  std::uint64_t operation_count_ = 0;
  std::uint64_t failing_operation_ = 0;
  int failing_error_number_ = 0;
  std::uint64_t halting_operation_ = 0;
  std::uint64_t capacity_bytes_;
  bool direct_supported_ = true;
  std::size_t direct_unit_bytes_ = kDirectAlignment;
  bool links_supported_ = true;
  bool short_transfers_ = true;
  std::int64_t now_ns_;
};

}  // namespace drs
