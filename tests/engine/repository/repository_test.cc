#include "engine/repository/repository.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/slot.h"
#include "engine/repository/key_slots.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

Secret raw_key(std::uint8_t fill) {
  Secret secret{SlotKind::kRawKey, SecretBytes(32)};
  Byte next = fill;
  for (Byte& byte : secret.bytes.mutable_view()) byte = next++;
  return secret;
}

// The error code's name, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

class RepositoryTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Repository>> open(const Secret& secret, std::shared_ptr<FaultPlan> plan) {
    return Repository::open(make_fault_store(make_memory_store(objects_), std::move(plan)), clock_, secret,
                            best_crypto_backend());
  }
  void init() {
    const auto store = make_memory_store(objects_);
    InitOptions options;
    options.secret = raw_key(1);
    ASSERT_TRUE(Repository::init(*store, clock_, options).ok());
  }

  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  SystemClock clock_;
};

TEST_F(RepositoryTest, OpensOrTellsOfTheFailedReadAndNeverOfDamageOrAWrongKey) {
  init();
  const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(repository.ok());
  ASSERT_TRUE(add_slot(**repository, raw_key(2), "second").ok());
  for (const std::uint8_t key : {std::uint8_t{1}, std::uint8_t{2}}) {
    const auto counted = std::make_shared<FaultPlan>();
    ASSERT_TRUE(open(raw_key(key), counted).ok());
    for (std::uint64_t nth = 1; nth <= counted->operations(); ++nth) {
      const auto plan = std::make_shared<FaultPlan>();
      plan->fail_nth(nth, {FaultKind::kFail, ErrorCode::kIo});
      const auto result = open(raw_key(key), plan);
      if (!result.ok()) {
        EXPECT_EQ(result.error().code, ErrorCode::kIo) << nth << ": " << result.error().message;
      }
    }
  }
}

TEST_F(RepositoryTest, OpensBesideASlotThatCannotBeRead) {
  init();
  const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(repository.ok());
  const auto second = add_slot(**repository, raw_key(2), "second");
  ASSERT_TRUE(second.ok());
  Bytes damaged = *objects_->find(slot_name(*second))->bytes;
  damaged.back() ^= 1;
  objects_->damage(slot_name(*second), damaged);
  EXPECT_TRUE(open(raw_key(1), std::make_shared<FaultPlan>()).ok());
  EXPECT_EQ(code_of(open(raw_key(2), std::make_shared<FaultPlan>())), "wrong-key");
}

TEST_F(RepositoryTest, ASlotThatIsListedAndNotThereIsNamedBesideTheWrongKey) {
  init();
  const auto second = add_slot(**open(raw_key(1), std::make_shared<FaultPlan>()), raw_key(2), "second");
  ASSERT_TRUE(second.ok());
  auto store = std::make_unique<test::HookStore>(make_memory_store(objects_), test::only_listed({slot_name(*second)}));
  const auto opened = Repository::open(std::move(store), clock_, raw_key(2), best_crypto_backend());
  EXPECT_EQ(code_of(opened), "wrong-key");
  EXPECT_NE(opened.error().message.find(slot_name(*second)), std::string::npos) << opened.error().message;
}

TEST_F(RepositoryTest, WhatTheMediumCannotGiveBackCountsAsDamaged) {
  init();
  const auto second = add_slot(**open(raw_key(1), std::make_shared<FaultPlan>()), raw_key(2), "second");
  ASSERT_TRUE(second.ok());
  const auto opened_beside = [&](std::vector<std::string> rotten, std::uint8_t key) {
    const auto hook = std::make_shared<test::StoreHook>(
        [rotten = std::move(rotten)](std::string_view operation, std::string_view name) -> std::optional<Error> {
          if (operation != "get" || std::find(rotten.begin(), rotten.end(), name) == rotten.end()) return std::nullopt;
          return Error(ErrorCode::kIo, std::string(name) + " is cut each time", EIO);
        });
    return Repository::open(std::make_unique<test::HookStore>(make_memory_store(objects_), hook), clock_, raw_key(key),
                            best_crypto_backend());
  };
  std::vector<std::string> slots;
  for (const ObjectInfo& info : objects_->list("keys/")) slots.push_back(info.key);
  ASSERT_EQ(slots.size(), 2U);

  EXPECT_EQ(code_of(opened_beside({slot_name(*second)}, 1)), "ok");
  const auto key_of_it = opened_beside({slot_name(*second)}, 2);
  EXPECT_EQ(code_of(key_of_it), "wrong-key");
  EXPECT_NE(key_of_it.error().message.find("cut each time"), std::string::npos) << key_of_it.error().message;
  const auto no_slot = opened_beside(slots, 1);
  EXPECT_EQ(code_of(no_slot), "corrupt");
  EXPECT_NE(no_slot.error().message.find("put keys/ back"), std::string::npos) << no_slot.error().message;
  const auto no_config = opened_beside({config_name(1)}, 1);
  EXPECT_EQ(code_of(no_config), "corrupt");
  EXPECT_NE(no_config.error().message.find("put this object back"), std::string::npos) << no_config.error().message;
}

// A newer config, as a later `drstream upgrade` would write it.
TEST_F(RepositoryTest, TheConfigWithTheHighestNumberCountsAndNoOtherInItsPlace) {
  init();
  const auto first = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(first.ok());
  const std::string name = config_name(2);
  Config config = (*first)->config();
  const auto opened = [&](const Bytes& object) {
    objects_->damage(name, object);
    auto result = open(raw_key(1), std::make_shared<FaultPlan>());
    return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
  };
  const auto sealed = [&](const Config& body, const std::string& sealed_name) {
    return encode_document((*first)->keys(), ObjectKind::kConfig, sealed_name, encode_config(body));
  };
  config.optional_features = ~std::uint64_t{0};
  EXPECT_EQ(opened(sealed(config, name)), "ok");
  const auto second = open(raw_key(1), std::make_shared<FaultPlan>());
  EXPECT_EQ((*second)->config().optional_features, config.optional_features);
  EXPECT_EQ((*second)->config_digest(), document_identity(*objects_->find(name)->bytes));

  for (unsigned bit = 0; bit < 56; ++bit) {
    Config newer = config;
    newer.required_features |= std::uint64_t{1} << bit;
    EXPECT_EQ(opened(sealed(newer, name)), "format-too-new") << bit;
  }
  Bytes version_2 = sealed(config, name);
  version_2[7] = 2;
  EXPECT_EQ(opened(version_2), "corrupt") << "damage counts before the version: its digest is wrong";
  version_2.resize(version_2.size() - Digest::kBytes);
  const Digest digest = sha256(version_2);
  version_2.insert(version_2.end(), digest.view().begin(), digest.view().end());
  EXPECT_EQ(opened(version_2), "format-too-new");
  EXPECT_EQ(opened(sealed(config, config_name(1))), "corrupt") << "sealed for another name";
  EXPECT_EQ(opened({}), "truncated");
  const auto damaged = open(raw_key(1), std::make_shared<FaultPlan>());
  EXPECT_NE(damaged.error().message.find("put this object back from a replica"), std::string::npos);
}

TEST_F(RepositoryTest, OfAnotherDraftOfTheFormatIsRefusedAndNotCalledDamaged) {
  init();
  const auto first = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(first.ok());
  Bytes body = encode_config((*first)->config());
  constexpr std::size_t kDraftAt = 2 + 16 + 1 + 1 + 32 + 13 + 4 + 7;
  ASSERT_EQ(body[kDraftAt], 1);
  body[kDraftAt] = 0;
  objects_->damage(config_name(1), encode_document((*first)->keys(), ObjectKind::kConfig, config_name(1), body));
  const auto refused = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kFormatTooNew);
  EXPECT_NE(refused.error().message.find("pull its snapshots with that version"), std::string::npos);
}

TEST_F(RepositoryTest, ASlotThatIsTooNewIsPassedOverWithANoticeWhereAnotherOpens) {
  init();
  {
    const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
    ASSERT_TRUE(repository.ok());
    ASSERT_TRUE(add_slot(**repository, raw_key(2), "second").ok());
  }
  std::vector<std::string> names;
  for (const ObjectInfo& info : objects_->list("keys/")) names.push_back(info.key);
  const auto make_newer = [&](const std::string& name) {
    Bytes slot = *objects_->find(name)->bytes;
    slot.resize(slot.size() - Digest::kBytes);
    slot[kEnvelopeBytes + 16] = 1;  // of master key 1
    const Digest digest = sha256(slot);
    slot.insert(slot.end(), digest.view().begin(), digest.view().end());
    objects_->damage(name, slot);
  };
  make_newer(names[0]);
  int opened_count = 0;
  for (const std::uint8_t key : {std::uint8_t{1}, std::uint8_t{2}}) {
    const auto result = open(raw_key(key), std::make_shared<FaultPlan>());
    if (!result.ok()) {
      EXPECT_EQ(result.error().code, ErrorCode::kWrongKey);
      continue;
    }
    ++opened_count;
    // The slot that opens may come first: then the other one is not read.
    for (const std::string& warning : (*result)->warnings()) EXPECT_NE(warning.find("master key 1"), std::string::npos);
  }
  EXPECT_EQ(opened_count, 1);
  make_newer(names[1]);
  EXPECT_EQ(code_of(open(raw_key(1), std::make_shared<FaultPlan>())), "format-too-new");
}

TEST_F(RepositoryTest, NamesSlotsAfterTheirDigest) {
  init();
  const auto slots = objects_->list("keys/");
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_EQ(slots[0].key, slot_name(slot_id(*objects_->find(slots[0].key)->bytes)));
}

TEST_F(RepositoryTest, InitRefusesWhereAnyObjectOfARepositoryIsLeft) {
  const Digest digest = sha256(as_bytes("x"));
  Uuid uuid;
  const std::string manifest = manifest_name(StreamTag(), uuid);
  for (const std::string& name :
       {pack_name(digest), index_name(digest), manifest, removed_name(manifest), session_name(StreamTag(), uuid, 0),
        condemned_name(uuid), damaged_name(digest, uuid), waits_name(uuid), retired_name(StreamTag(), uuid),
        kept_name(StreamTag(), uuid, 0), hold_name(StreamTag(), uuid, 0)}) {
    objects_ = std::make_shared<MemoryObjects>();
    ASSERT_TRUE(objects_->insert(name, Bytes(4), 0));
    const auto store = make_memory_store(objects_);
    InitOptions options;
    options.secret = raw_key(1);
    const auto made = Repository::init(*store, clock_, options);
    ASSERT_FALSE(made.ok()) << name;
    EXPECT_EQ(made.error().code, ErrorCode::kAlreadyExists) << name;
    for (const char* const part : {name.c_str(), "config/ and keys/", "replica", "nothing was changed"})
      EXPECT_NE(made.error().message.find(part), std::string::npos) << made.error().message;
    EXPECT_EQ(objects_->list("").size(), 1U) << name;
    const auto opened = open(raw_key(1), std::make_shared<FaultPlan>());
    EXPECT_EQ(opened.error().code, ErrorCode::kNoRepository);
    EXPECT_NE(opened.error().message.find("config/ and keys/ from a backup or a replica"), std::string::npos)
        << opened.error().message;
  }
}

TEST_F(RepositoryTest, InitRunsOverKeySlotsAloneAndWhatDoctorLeft) {
  init();
  for (const ObjectInfo& config : objects_->list("config/")) objects_->erase(config.key);
  ASSERT_TRUE(objects_->insert("doctor/3f", Bytes(1), 0));
  const auto opened = open(raw_key(1), std::make_shared<FaultPlan>());
  EXPECT_EQ(opened.error().code, ErrorCode::kNoRepository);
  EXPECT_NE(opened.error().message.find("no object under config/"), std::string::npos);
  init();
  EXPECT_TRUE(open(raw_key(1), std::make_shared<FaultPlan>()).ok());
}

TEST_F(RepositoryTest, AForgedSlotIsNoWayInAndTheLastRealOneStays) {
  init();
  const auto repository = open(raw_key(1), std::make_shared<FaultPlan>());
  ASSERT_TRUE(repository.ok());
  // Anyone can wrap another master key for the repository id, which config and slots carry in clear.
  SecretBytes other_master(32);
  const RepositoryKeys other_keys(other_master.view(), (*repository)->config().repository);
  SlotFields fields;
  fields.label = "forged";
  const Secret forger = raw_key(9);
  const auto forged = encode_slot(other_keys, fields, forger.bytes.view());
  ASSERT_TRUE(forged.ok());
  const std::string forged_name = slot_name(slot_id(*forged));
  ASSERT_TRUE(objects_->insert(forged_name, *forged, 0));

  const std::string own = (*repository)->opened_with_slot().hex();
  const auto refused = remove_slot(**repository, own);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("last"), std::string::npos);
  EXPECT_TRUE(objects_->find(slot_name((*repository)->opened_with_slot())));

  const auto slots = list_slots(**repository);
  ASSERT_TRUE(slots.ok());
  for (const SlotInfo& slot : *slots) EXPECT_EQ(slot.problem.empty(), slot.current) << slot.problem;
  // A passphrase slot counts by its MAC, although the passphrase was not entered.
  Secret phrase{SlotKind::kPassphrase, SecretBytes::copy_of(as_bytes("correct horse battery"))};
  ASSERT_TRUE(add_slot(**repository, phrase, "phrase").ok());
  EXPECT_TRUE(remove_slot(**repository, own).ok());
  EXPECT_TRUE(open(phrase, std::make_shared<FaultPlan>()).ok());
}

TEST_F(RepositoryTest, LeavesNothingThatNobodyCanOpenWhenInitFails) {
  for (const FaultKind kind : {FaultKind::kFail, FaultKind::kLoseReply, FaultKind::kTear}) {
    for (std::uint64_t nth = 1;; ++nth) {
      objects_ = std::make_shared<MemoryObjects>();
      const auto plan = std::make_shared<FaultPlan>();
      plan->fail_nth(nth, {kind, ErrorCode::kIo});
      InitOptions options;
      options.secret = raw_key(1);
      const auto store = make_fault_store(make_memory_store(objects_), plan);
      const auto made = Repository::init(*store, clock_, options);
      if (plan->faults() == 0) break;  // every operation of an init has failed once
      const bool configured = !objects_->list("config/").empty();
      const auto opened = open(raw_key(1), std::make_shared<FaultPlan>());
      if (made.ok()) {
        EXPECT_TRUE(opened.ok()) << nth;
      } else if (configured) {
        // A torn config looks the same as a damaged one: it stays for inspection, with its slot.
        EXPECT_EQ(kind, FaultKind::kTear) << nth;
        EXPECT_FALSE(objects_->list("keys/").empty()) << nth;
      } else {
        EXPECT_EQ(opened.error().code, ErrorCode::kNoRepository) << nth;
      }
    }
  }
}

// What took the name may be the config of this very init: without its slot nobody could open it.
TEST_F(RepositoryTest, AConfigThatTakesItsNameAndCannotBeReadKeepsItsSlot) {
  const auto plan = std::make_shared<FaultPlan>();
  const auto hook = std::make_shared<test::StoreHook>();
  *hook = [&, puts = 0, gets = 0](std::string_view operation, std::string_view key) mutable -> std::optional<Error> {
    if (!key.starts_with("config/")) return std::nullopt;
    if (operation == "put" && ++puts == 1) plan->fail_nth(1, {FaultKind::kLoseReply, ErrorCode::kUnavailable});
    if (operation != "get") return std::nullopt;
    return ++gets == 1 ? Error(ErrorCode::kNotFound, "not yet") : Error(ErrorCode::kIo, "cannot be read");
  };
  InitOptions options;
  options.secret = raw_key(1);
  test::HookStore store(make_fault_store(make_memory_store(objects_), plan), hook);
  EXPECT_EQ(code_of(Repository::init(store, clock_, options)), "io");
  EXPECT_TRUE(open(raw_key(1), std::make_shared<FaultPlan>()).ok());
}

TEST_F(RepositoryTest, AnInitThatAnotherOvertakesLeavesTheOthersRepositoryAlone) {
  auto other = std::make_shared<MemoryObjects>();
  std::swap(objects_, other);
  init();
  std::swap(objects_, other);
  const auto hook = std::make_shared<test::StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && key.starts_with("config/"))
      for (const ObjectInfo& info : other->list("")) objects_->insert(info.key, *other->find(info.key)->bytes, 0);
    return std::nullopt;
  };
  InitOptions options;
  options.secret = raw_key(2);
  test::HookStore store(make_memory_store(objects_), hook);
  EXPECT_EQ(code_of(Repository::init(store, clock_, options)), "already-exists");
  EXPECT_EQ(objects_->list("").size(), other->list("").size());
  EXPECT_TRUE(open(raw_key(1), std::make_shared<FaultPlan>()).ok());
}

}  // namespace
}  // namespace drs
