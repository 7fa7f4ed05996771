#include "tools/output/metrics_push.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(MetricsPush, GroupsAreNamedInBase64) {
  EXPECT_EQ(push_group_url("http://gateway:9091/", {{"repository", "s3://bucket/pg"}, {"stream", "pg/app"}}),
            "http://gateway:9091/metrics/job/drstream/repository@base64/czM6Ly9idWNrZXQvcGc/stream@base64/cGcvYXBw");
  EXPECT_EQ(push_group_url("https://gateway/prefix", {{"stream", ""}}),
            "https://gateway/prefix/metrics/job/drstream/stream@base64/=");
  EXPECT_TRUE(push_group_url("http://g", {{"stream", "\xff\xfe\xfb"}}).ends_with("/stream@base64/__77"));
}

TEST(MetricsPush, RefusesWhatIsNoAddressAndCredentials) {
  EXPECT_TRUE(check_metrics_push({"http://gateway:9091", ""}).ok());
  for (const char* url : {"", "gateway:9091", "ftp://gateway", "http://user:word@gateway:9091", "http://g/?a=b"}) {
    const auto checked = check_metrics_push({url, ""});
    ASSERT_FALSE(checked.ok()) << url;
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
    EXPECT_EQ(checked.error().message.find("word"), std::string::npos) << "the password is repeated";
  }
}

TEST(MetricsPush, APasswordLeavesTheMachineOnlyWithTls) {
  EXPECT_TRUE(check_metrics_push({"https://gateway", "/etc/credentials"}).ok());
  EXPECT_TRUE(check_metrics_push({"http://127.0.0.1:9091", "/etc/credentials"}).ok());
  const auto refused = check_metrics_push({"http://gateway", "/etc/credentials"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

TEST(RunMetrics, ARunThatFailedHasNoTimeOfTheLastSuccess) {
  RunMetrics run;
  run.work = "verify";
  run.labels = {{"repository", "r"}};
  const std::string good = run_metrics(run, {0, 2.5, 1000}).text();
  const std::string bad = run_metrics(run, {4, 2.5, 1000}).text();
  EXPECT_NE(good.find("drstream_verify_run_last_success_timestamp_seconds{repository=\"r\"} 1000\n"),
            std::string::npos);
  EXPECT_EQ(bad.find("success_timestamp"), std::string::npos);
  EXPECT_NE(bad.find("drstream_verify_last_exit_code{repository=\"r\"} 4\n"), std::string::npos);
  EXPECT_EQ(good.find("runs_total"), std::string::npos) << "a counter that starts anew with each run counts nothing";
}

}  // namespace
}  // namespace drs
