// The commit of a session beside removals: a snapshot that a mark or a retired object names is no success.
#include "engine/repository/write_session.h"

#include <gtest/gtest.h>

#include "tests/engine/repository/snapshots_fixture.h"

namespace drs::test {
namespace {

class RetiredCommitTest : public SnapshotsFixture {
 protected:
  std::unique_ptr<WriteSession> begin(const std::optional<Uuid>& of = std::nullopt) {
    auto session =
        WriteSession::begin(*repository_, repository_->store(), {.stream = kStream, .host = "h", .session = of}, {});
    EXPECT_TRUE(session.ok()) << session.error().message;
    return *std::move(session);
  }
  Manifest manifest(const WriteSession& session) {
    Manifest out;
    out.stream = kStream;
    out.session = session.id();
    out.set_stream({});
    return out;
  }
  static RetiredEntry mark_of(const WriteSession& session) {
    RetiredEntry entry;
    entry.session = session.id();
    entry.digest.data.fill(1);
    entry.sequence = 1;
    return entry;
  }
  static RetiredEntry fence_of(const WriteSession& session) {
    RetiredEntry entry;
    entry.session = session.id();
    return entry;
  }
  // Calls `then` once, before the first operation of this kind on a name that begins so.
  void before(std::string operation, std::string prefix, std::function<void()> then) {
    *hook_ = [=, done = false](std::string_view now, std::string_view key) mutable -> std::optional<Error> {
      if (done || now != operation || !key.starts_with(prefix)) return std::nullopt;
      done = true;
      then();
      return std::nullopt;
    };
  }
  std::size_t sessions() const { return objects_->list("sessions/").size(); }
};

TEST_F(RetiredCommitTest, CommitsBesideRetiredObjectsOfOthers) {
  auto session = begin();
  RetiredEntry other = mark_of(*session);
  other.session.data[0] ^= 1;
  before("put", "manifests/", [&] { retire({other}); });
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "ok");
  session.reset();
  EXPECT_EQ(sessions(), 0U);
  EXPECT_EQ(load().live.size(), 1U);
}

// A prune deletes a fence behind the retired object, so that the manifest can be put again.
TEST_F(RetiredCommitTest, CommitsNothingThatARetiredObjectNamesWheneverItAppears) {
  const std::pair<const char*, const char*> moments[] = {
      {"put", "manifests/"}, {"get", "manifests/"}, {"stat", "removed/"}, {"list", "retired/"}};
  for (const bool fence : {true, false}) {
    for (const auto& [operation, prefix] : moments) {
      for (const char* const folder : {"retired/", "manifests/"})
        for (const ObjectInfo& info : objects_->list(folder)) objects_->erase(info.key);
      *hook_ = {};
      auto session = begin();
      before(operation, prefix, [&] { retire({fence ? fence_of(*session) : mark_of(*session)}); });
      const auto committed = session->commit(manifest(*session));
      EXPECT_EQ(code_of(committed), "conflict") << operation << " " << prefix;
      EXPECT_NE(committed.error().message.find(fence ? "fenced" : "marked as removed"), std::string::npos)
          << committed.error().message;
      session.reset();
      EXPECT_EQ(sessions(), 0U) << "the outcome is known";
      EXPECT_TRUE(load().live.empty());
    }
  }
}

TEST_F(RetiredCommitTest, LooksAgainWhereAnotherRetiredObjectTookThePlaceOfTheListedOne) {
  auto session = begin();
  const std::string old = retire({mark_of(*session)}, 1);
  before("get", "retired/", [&] {
    retire({mark_of(*session)}, 2);
    objects_->erase(old);
  });
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "conflict");
}

TEST_F(RetiredCommitTest, FindsTheRetiredEntryOfAMarkThatVanishes) {
  auto session = begin();
  const std::string name = name_of(session->id());
  put(ObjectKind::kRemoved, removed_name(name), encode_removed({name, {}, kStream, 1, 1, "test"}));
  before("get", "removed/", [&] {
    retire({mark_of(*session)});
    objects_->erase(removed_name(name));
  });
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "conflict");
}

TEST_F(RetiredCommitTest, ReportsNoSuccessWhileARetiredObjectThatMayNameItCannotBeRead) {
  auto session = begin();
  rot(retire({}));
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "unsettled");
  session.reset();
  EXPECT_EQ(sessions(), 1U) << "the session object stays";
}

TEST_F(RetiredCommitTest, ReadsNoRetiredObjectThatIsOlderThanItsRandomSession) {
  const std::string old = retire({});
  rot(old);
  const auto session = begin();
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    EXPECT_FALSE(operation == "get" && key == old);
    return std::nullopt;
  };
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "ok");
}

TEST_F(RetiredCommitTest, ReadsAllRetiredObjectsForASessionThatIsOlder) {
  RetiredEntry fence;
  fence.session.data.fill(7);
  const std::string old = retire({fence});
  const auto session = begin(fence.session);
  EXPECT_EQ(code_of(session->commit(manifest(*session))), "conflict");
  rot(old);
  Uuid another;
  another.data.fill(8);
  const auto other = begin(another);
  EXPECT_EQ(code_of(other->commit(manifest(*other))), "unsettled");
}

TEST_F(RetiredCommitTest, IsFencedAlsoWhereARetiredObjectStandsForTheFence) {
  const auto session = begin();
  EXPECT_EQ(code_of(session->check_not_fenced()), "ok");
  retire({fence_of(*session)});
  EXPECT_EQ(code_of(session->check_not_fenced()), "conflict");
}

}  // namespace
}  // namespace drs::test
