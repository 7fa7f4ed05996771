#include "tools/commands/cloud_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "codecs/random.h"
#include "sinks/cloud/s3/s3_xml.h"
#include "tools/output/quantity_text.h"

namespace drs {
namespace {

using State = CheckResult::State;
using std::chrono::duration;

constexpr std::size_t kRateBytes = 4 * kMiB;
constexpr int kLatencyRequests = 5;
constexpr double kLatencyHighSeconds = 0.2;
constexpr double kSkewHighSeconds = 60;
constexpr double kSkewRefusedSeconds = 15 * 60;  // S3's own limit
constexpr double kCertificateShortDays = 14;

// A few fixed names: where nothing can be removed they stay, and the next run finds them.
constexpr const char* kProbeKey = "doctor/probe";
constexpr const char* kChecksumKey = "doctor/checksum";
constexpr const char* kRateKey = "doctor/rate";
constexpr const char* kAbsentKey = "doctor/absent";

double seconds(std::chrono::nanoseconds time) {
  return duration<double>(time).count();
}

std::string milliseconds_text(double value_seconds) {
  return fmt::format("{:.1f} ms", value_seconds * 1000);
}

bool has_code(const Result<void>& result, ErrorCode code) {
  return !result.ok() && result.error().code == code;
}

class CloudCheck {
 public:
  // `allowance`: where the permissions of a role are documented.
  CloudCheck(CloudProbe& probe, const Clock& clock, std::optional<StoreRole> role, std::string allowance)
      : probe_(probe), protocol_(probe.protocol()), clock_(clock), role_(role), allowance_(std::move(allowance)) {}

  // False if the store does not answer: then no other check is possible.
  bool check_connection() {
    // The first request pays for the connection.
    const CloudProbe::Answer first = stat(kAbsentKey);
    const Result<void> problem = answered(first) ? look_again(first) : first.result;
    if (!problem.ok()) {
      add_failed("connection", problem.error());
      return false;
    }
    check_tls(first.transfer);
    check_skew(first.transfer);
    std::vector<double> times;
    for (int i = 0; i < kLatencyRequests; ++i) times.push_back(seconds(stat(kAbsentKey).took));
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    add("latency", median > kLatencyHighSeconds ? State::kNotice : State::kGood,
        fmt::format("{} for a small request (median of {}; {} to {}); the first took {}", milliseconds_text(median),
                    kLatencyRequests, milliseconds_text(times.front()), milliseconds_text(times.back()),
                    milliseconds_text(seconds(first.took))));
    return true;
  }

  void check_objects() {
    const Result<void> created = put(kProbeKey, as_bytes("drstream doctor"));
    const bool there_before = has_code(created, ErrorCode::kAlreadyExists);
    if (has_code(created, ErrorCode::kDenied)) {
      const bool meant_to = role_ && *role_ != StoreRole::kSweeper;
      add("writing", meant_to ? State::kBad : State::kNotice,
          meant_to ? created.error().message + "; " + allowance_ + " tells what to allow"
                   : "these credentials may not create objects: enough for list, pull, verify and scrub, not for push");
      return;
    }
    if (!created.ok() && !there_before) {
      add_failed("writing", created.error());
      return;
    }
    add("writing", State::kGood, "objects can be created");
    check_conditional_writes();
    check_checksums();
    const bool can_remove = check_removal();
    check_rates(can_remove);
  }

  void check_server(const S3ServerTraits& server) {
    if (!server.refuses_checksums) return;
    add("checksum header", State::kNotice,
        "the server refuses the header x-amz-checksum-sha256; Content-MD5 is sent in its place. The signature covers "
        "the SHA-256 of each body, and each object is looked up after its put");
  }

  void check_bucket(const S3Protocol& s3) {
    const CloudProbe::Answer versioning =
        probe_.ask(s3.bucket_setting("versioning"), RequestKind::kOther, "read the bucket's versioning");
    const CloudProbe::Answer lock =
        probe_.ask(s3.bucket_setting("object-lock"), RequestKind::kOther, "read the bucket's Object Lock");
    const auto keeps_versions = versioning.result.ok() ? parse_versioning(as_bytes(versioning.transfer.text))
                                                       : Result<bool>(versioning.result.error());
    if (!keeps_versions.ok()) {
      add("versioning", State::kNotice, "not known: " + keeps_versions.error().message);
    } else if (*keeps_versions) {
      add("versioning", State::kGood,
          "on: removed or replaced objects can be restored; let a lifecycle rule expire noncurrent versions");
    } else {
      add("versioning", State::kNotice,
          "off: deleted or replaced objects are lost for good; turn it on if other credentials can delete or replace "
          "objects");
    }
    const auto state = lock.result.ok() ? parse_object_lock(as_bytes(lock.transfer.text))
                                        : Result<S3ObjectLockState>(lock.result.error());
    if (state.ok() && state->enabled) {
      add("object lock", State::kGood,
          state->default_period.empty()
              ? "available: --lock-days uses it"
              : fmt::format("on, {} by default; session objects and marks are locked too, and stay until then",
                            state->default_period));
    } else if (state.ok() || lock.transfer.status == 404) {
      add("object lock", State::kNotice, "not available: --lock-days needs a bucket that has it");
    } else {
      add("object lock", State::kNotice, "not known: " + state.error().message);
    }
  }

  std::vector<CheckResult> take() { return std::move(results_); }

 private:
  void add(std::string name, State state, std::string detail) {
    results_.push_back({std::move(name), state, std::move(detail)});
  }
  void add_failed(std::string name, const Error& error) { results_.push_back(failed_check(std::move(name), error)); }

  CloudProbe::Answer stat(const char* key) {
    return probe_.ask(protocol_.stat(key), RequestKind::kStat, std::string("stat ") + key);
  }
  // "There is no such object" may come from something else, such as a proxy without a store behind it.
  Result<void> look_again(const CloudProbe::Answer& absent) {
    if (!has_code(absent.result, ErrorCode::kNotFound)) return {};
    StoreRequest request = protocol_.stat(kAbsentKey);
    request.kind = RequestKind::kStat;
    if (auto look = protocol_.second_look(request)) request = *std::move(look);
    const CloudProbe::Answer second = probe_.ask(std::move(request), RequestKind::kStat, "look for an object");
    return answered(second) ? Result<void>() : second.result;
  }
  Result<void> put(const char* key, ByteView body) { return put(key, body, body).result; }
  // Sends `body` with the checksum of `described`, which has the same length.
  CloudProbe::Answer put(const char* key, ByteView described, ByteView body) {
    PutOperation operation;
    operation.key = key;
    operation.body = {described};
    StoreRequest request = protocol_.put(operation);
    request.body = {body};
    return probe_.ask(std::move(request), RequestKind::kPut, std::string("put ") + key);
  }
  CloudProbe::Answer remove(const char* key) {
    return probe_.ask(protocol_.remove(key), RequestKind::kRemove, std::string("remove ") + key);
  }

  // "There is no such object" and "access denied" are answers of the store, too.
  static bool answered(const CloudProbe::Answer& answer) {
    return answer.result.ok() || answer.result.error().code == ErrorCode::kNotFound ||
           (answer.transfer.status == 403 && answer.result.error().code == ErrorCode::kDenied);
  }

  void check_tls(const HttpTransfer& transfer) {
    if (transfer.url.starts_with("http://")) {
      add("connection", State::kNotice,
          "plain HTTP: contents are sealed, but names, sizes and the store's answers can be read and changed in "
          "transit; use https:// unless the network is your own");
      return;
    }
    const std::string version = transfer.tls_version.empty() ? "HTTPS" : "HTTPS, " + transfer.tls_version;
    if (!transfer.certificate_expires_ns) {
      add("connection", State::kGood, version);
      return;
    }
    const double days = static_cast<double>(*transfer.certificate_expires_ns - clock_.wall_ns()) / 86'400e9;
    add("connection", days < kCertificateShortDays ? State::kNotice : State::kGood,
        fmt::format("{}; the server's certificate is good for {:.0f} days{}", version, days,
                    days < kCertificateShortDays ? ": renew it before backups stop" : ""));
  }

  void check_skew(const HttpTransfer& transfer) {
    const auto server = parse_http_date(transfer.header("date"));
    if (!server) {
      add("clock skew", State::kNotice, "the store does not send its time");
      return;
    }
    const double skew = static_cast<double>(clock_.wall_ns() - *server) / 1e9;
    const double size = std::abs(skew);
    const std::string text =
        fmt::format("this machine's clock is {:.0f} s {} the store's", size, skew < 0 ? "behind" : "ahead of");
    // The header counts whole seconds.
    if (size < 2)
      add("clock skew", State::kGood, "the store's clock and this machine's agree");
    else if (size < kSkewHighSeconds)
      add("clock skew", State::kGood, text);
    else if (size < kSkewRefusedSeconds)
      add("clock skew", State::kNotice, text + ": set it; from 15 minutes on requests are refused");
    else
      add("clock skew", State::kBad, text + ", too much for signed requests: set it");
  }

  // The probe object exists now.
  void check_conditional_writes() {
    const Result<void> again = put(kProbeKey, as_bytes("drstream doctor, the second"));
    if (has_code(again, ErrorCode::kAlreadyExists))
      add("create once", State::kGood, "a second object of the same name is refused");
    else if (again.ok())
      add("create once", State::kBad,
          "the store ignores conditional writes and replaces objects: two pushes at once could destroy each other's "
          "commit; use --single-writer if only one runs at a time");
    else
      add_failed("create once", again.error());
  }

  void check_checksums() {
    const CloudProbe::Answer wrong = put(kChecksumKey, as_bytes("wrong"), as_bytes("right"));
    if (wrong.transfer.status >= 200 && wrong.transfer.status < 300) {
      const bool removed = remove(kChecksumKey).result.ok();
      add("checksums", State::kBad,
          std::string("the store accepts bytes that do not match the checksum sent with them: damage in transit is "
                      "found only when they are read again") +
              (removed ? "" : fmt::format("; {} stays behind", kChecksumKey)));
    } else if (wrong.transfer.status == 400) {
      add("checksums", State::kGood, "the store refuses bytes that do not match the checksum sent with them");
    } else {
      add("checksums", State::kNotice, "not known: " + wrong.result.error().message);
    }
  }

  bool check_removal() {
    const Result<void> removed = remove(kProbeKey).result;
    const bool writes = role_ == StoreRole::kWriter || role_ == StoreRole::kSweeper;
    if (removed.ok()) {
      add("removing", writes ? State::kBad : State::kGood,
          writes ? "these credentials can delete backups, also once stolen: " + allowance_ + " tells what they need"
                 : "allowed; stolen credentials can delete backups, unless they are locked");
      return true;
    }
    if (!has_code(removed, ErrorCode::kDenied)) {
      add_failed("removing", removed.error());
      return false;
    }
    add("removing", role_ == StoreRole::kPruner ? State::kBad : State::kGood,
        fmt::format("refused: {}; {} and {} stay for the next run of doctor",
                    role_ == StoreRole::kPruner ? "a pruner needs it, as " + allowance_ + " tells"
                                                : "stolen credentials cannot delete backups",
                    kProbeKey, kRateKey));
    return false;
  }

  void check_rates(bool can_remove) {
    Bytes bytes(kRateBytes);
    random_bytes(bytes);
    const CloudProbe::Answer stored = put(kRateKey, bytes, bytes);
    const bool there_before = has_code(stored.result, ErrorCode::kAlreadyExists);
    if (stored.result.ok())
      add("upload", State::kGood, rate_text(kRateBytes, stored.took));
    else if (there_before)
      add("upload", State::kGood,
          fmt::format("not measured: {} is left from an earlier run of doctor and cannot be replaced", kRateKey));
    else
      add_failed("upload", stored.result.error());
    if (!stored.result.ok() && !there_before) return;

    Bytes read(kRateBytes);
    StoreRequest request = protocol_.get(kRateKey, 0, kRateBytes);
    request.destination = read;
    request.part_begin_bytes = 0;
    const CloudProbe::Answer got = probe_.ask(std::move(request), RequestKind::kGet, std::string("get ") + kRateKey);
    if (!got.result.ok())
      add_failed("download", got.result.error());
    else if (!there_before && read != bytes)
      add("download", State::kBad, "the object that was just stored reads back differently");
    else
      add("download", State::kGood, rate_text(got.transfer.received_bytes, got.took));
    if (got.result.ok() && got.transfer.status == 200)
      add("parts of objects", State::kNotice,
          "the store answers a request for a part of an object with the whole object, which makes pull, verify and "
          "deduplication slow: check whether a proxy or cache in between drops the Range header");
    if (!can_remove) return;
    if (const Result<void> removed = remove(kRateKey).result; !removed.ok())
      add("removing", State::kNotice, fmt::format("{} stays behind: {}", kRateKey, removed.error().message));
  }

  static std::string rate_text(std::size_t bytes, std::chrono::nanoseconds took) {
    return fmt::format("{}/s over one connection ({} in {})",
                       format_size(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds(took))),
                       format_size(bytes), milliseconds_text(seconds(took)));
  }

  CloudProbe& probe_;
  CloudProtocol& protocol_;
  const Clock& clock_;
  const std::optional<StoreRole> role_;
  const std::string allowance_;
  std::vector<CheckResult> results_;
};

}  // namespace

std::vector<CheckResult> check_gcs(CloudProbe& probe, const Clock& clock, std::optional<StoreRole> role) {
  CloudCheck check(probe, clock, role, "the page on Google Cloud Storage in docs/BUCKETS.md");
  if (check.check_connection()) check.check_objects();
  return check.take();
}

std::vector<CheckResult> check_s3(S3Probe& s3, const Clock& clock, std::optional<StoreRole> role) {
  CloudCheck check(*s3.probe, clock, role, "`drstream policy s3`");
  if (check.check_connection()) {
    check.check_objects();
    check.check_server(s3.protocol->server());
    check.check_bucket(*s3.protocol);
  }
  return check.take();
}

}  // namespace drs
