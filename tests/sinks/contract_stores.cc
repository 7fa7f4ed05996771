#include "tests/sinks/contract_stores.h"

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "codecs/random.h"
#include "codecs/sha256.h"
#include "io/sim_file_system.h"
#include "sinks/cache/cache_store.h"
#include "sinks/cloud/gcs/gcs_store.h"
#include "sinks/cloud/s3/s3_store.h"
#include "sinks/fault_store.h"
#include "sinks/local/local_store.h"
#include "sinks/memory_store.h"
#include "sinks/spool/spool_store.h"
#include "tests/sinks/hook_store.h"
#include "tests/sinks/plain_decorator.h"
#include "tests/sinks/spool/contract_ruling.h"
#include "tests/sinks/store_test_support.h"

namespace drs::test {
namespace {

StoreKind local(std::string name, IoChoice choice, DirectIo direct) {
  return {std::move(name), [=] {
            auto root = std::make_shared<TemporaryRoot>();
            auto files = open_file_system(root->path(), choice);
            auto store = open_local_store(*std::move(files), {.parallel = 4, .direct = direct});
            return MadeStore{root, *std::move(store)};
          }};
}

struct SimulatedDisk {
  bool direct = true;  // takes O_DIRECT
  bool links = true;   // takes hard links
};

StoreKind simulated(std::string name, SimulatedDisk disk) {
  return {std::move(name), [=] {
            auto files = std::make_shared<SimFileSystem>(11);
            files->set_direct_supported(disk.direct);
            files->set_links_supported(disk.links);
            return MadeStore{files, *open_local_store(files, {})};
          }};
}

// A disk that takes O_DIRECT, but refuses operations that do not fit its sectors, and may end an operation after any
// sector.
StoreKind simulated_with_sectors(std::string name, std::size_t sector_bytes) {
  return {std::move(name), [=] {
            auto files = std::make_shared<SimFileSystem>(12);
            files->set_direct_unit_bytes(sector_bytes);
            return MadeStore{files, *open_local_store(files, {})};
          }};
}

enum class Completions : std::uint8_t { kInOrder, kReordered };

StoreKind fault_free(std::string name, Completions completions) {
  return {std::move(name), [=] {
            auto plan = std::make_shared<FaultPlan>(7);
            plan->reorder_completions(completions == Completions::kReordered);
            return MadeStore{{}, make_fault_store(make_memory_store(std::make_shared<MemoryObjects>()), plan)};
          }};
}

StoreKind locking(std::string name,
                  std::function<std::unique_ptr<ObjectStore>(std::unique_ptr<ObjectStore>)> decorate) {
  return {std::move(name), [decorate = std::move(decorate)] {
            auto objects = std::make_shared<MemoryObjects>();
            objects->lock_objects();
            return MadeStore{{}, decorate(make_memory_store(objects))};
          }};
}

// The cache takes every object for one that ends in its digest. Few objects of these tests do: the cache fetches each
// one and does not keep it.
StoreKind cached(std::string name, std::uint64_t size_bytes_max) {
  return {std::move(name), [=] {
            struct StoreHome {
              TemporaryRoot root;
              SystemClock clock;
            };
            auto home = std::make_shared<StoreHome>();
            auto folder = std::make_shared<CacheFolder>(
                CacheFolder::Options{home->root.path() + "/cache", size_bytes_max, nullptr, nullptr});
            auto store = make_cache_store(
                make_memory_store(std::make_shared<MemoryObjects>(), &home->clock), folder,
                {"here", {{"index/", KeylessCheck::kNameIsDigest}, {"", KeylessCheck::kEndsInDigest}}});
            return MadeStore{home, std::move(store)};
          }};
}

// The value of an environment variable; empty where it is not set.
std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A server of a test has a certificate from an authority of the test.
CloudStoreOptions cloud_options() {
  CloudStoreOptions options;
  options.http.ca_file = variable("DRSTREAM_TEST_CA_FILE");
  return options;
}

StoreKind google(const std::string& bucket) {
  return {"Gcs", [=] {
            static int count = 0;
            static const SystemClock clock;
            auto address = GcsAddress::make({bucket, "store-" + std::to_string(count++) + "/"},
                                            variable("DRSTREAM_TEST_GCS_ENDPOINT"));
            auto store = open_gcs_store(*std::move(address), nullptr, clock, cloud_options());
            return MadeStore{{}, *std::move(store)};
          }};
}

StoreKind s3(const std::string& bucket) {
  return {"S3", [=] {
            static const SystemClock clock;
            Bytes prefix(8);
            drs::random_bytes(MutableByteView(prefix));
            auto address =
                S3Address::make(*parse_s3_location(bucket + "/" + sha256(prefix).hex()),
                                {.region = "us-east-1", .endpoint = variable("AWS_ENDPOINT_URL_S3"), .style = {}});
            auto credentials = std::make_shared<AwsCredentialsProvider>(
                [] {
                  AwsCredentials keys;
                  keys.access_key_id = variable("AWS_ACCESS_KEY_ID");
                  keys.secret_access_key = SecretBytes::copy_of(as_bytes(variable("AWS_SECRET_ACCESS_KEY")));
                  return Result<AwsCredentials>(std::move(keys));
                },
                clock);
            auto store = open_s3_store(*std::move(address), std::move(credentials), clock, {}, cloud_options());
            return MadeStore{{}, *std::move(store)};
          }};
}

MadeStore spooled_store(std::uint64_t size_bytes_max) {
  const auto store = make_memory_store(std::make_shared<MemoryObjects>());
  SpoolOptions options;
  options.rule = contract_ruling;
  options.size_bytes_max = size_bytes_max;
  options.upload_bytes_max = 8 * kMiB;
  std::shared_ptr<Spool> spool = *Spool::open(*store, make_memory_store(std::make_shared<MemoryObjects>()), options);
  return {spool, *spool->wrap(*store->clone())};
}

StoreKind spooled(std::string name, std::uint64_t size_bytes_max) {
  return {std::move(name), [=] { return spooled_store(size_bytes_max); }};
}

}  // namespace

std::vector<StoreKind> contract_stores() {
  if (const std::string bucket = variable("DRSTREAM_TEST_GCS_BUCKET"); !bucket.empty()) return {google(bucket)};
  if (const std::string bucket = variable("DRSTREAM_TEST_S3"); !bucket.empty()) return {s3(bucket)};
  std::vector<StoreKind> kinds = {
      {"Memory",
       [] {
         return MadeStore{{}, make_memory_store(std::make_shared<MemoryObjects>())};
       }},
      local("LocalPosixDirect", IoChoice::kPosix, DirectIo::kWhereAligned),
      local("LocalPosixBuffered", IoChoice::kPosix, DirectIo::kOff),
      simulated("LocalSim", {}),
      simulated("LocalSimWithoutLinksOrDirect", {.direct = false, .links = false}),
      simulated_with_sectors("LocalSimWithLargeSectors", 16 * kKiB),
      simulated_with_sectors("LocalSimWithSmallSectors", 512),
      locking("MemoryThatLocks", [](auto store) { return store; }),
      locking("ForwardedThatLocks", [](auto store) { return std::make_unique<PlainDecorator>(std::move(store)); }),
      locking("HookedThatLocks",
              [](auto store) { return std::make_unique<HookStore>(std::move(store), std::make_shared<StoreHook>()); }),
      fault_free("FaultFree", Completions::kInOrder),
      fault_free("FaultFreeReordered", Completions::kReordered),
      cached("Cached", 64 * kMiB),
      cached("CachedInNoRoom", 0),
      spooled("Spooled", 64 * kMiB),
      spooled("SpooledWithLittleRoom", 10'000),
      spooled("SpooledNothing", 0),
  };
  if (probe_uring().uring_usable) {
    kinds.push_back(local("LocalUringDirect", IoChoice::kUring, DirectIo::kWhereAligned));
    kinds.push_back(local("LocalUringBuffered", IoChoice::kUring, DirectIo::kOff));
  }
  return kinds;
}

}  // namespace drs::test
