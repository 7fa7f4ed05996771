// KafkaHandle: one client of librdkafka with its threads and connections, opened from settings. It collects what
// librdkafka reports outside of calls: logs, and why brokers cannot be reached. Threads: `cancel` and `raw` may be
// called from any thread, all else from one at a time. Internal to this folder, but for KafkaClientOptions.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/cancel.h"
#include "io/child_process.h"
#include "sinks/kafka/kafka_error.h"
#include "sinks/kafka/kafka_settings.h"

namespace drs {

// What readers, writers and clusters have in common.
struct KafkaClientOptions {
  // Receives librdkafka's log lines, of severity warning and above unless the setting log_level says otherwise. Called
  // on librdkafka's threads, several at a time; must not block. Empty: they are dropped.
  std::function<void(int severity, std::string_view line)> log;
  // How to run token_command: without argv. Its timeout is kTokenTimeout if there is none.
  ChildOptions token_child;
  // A cluster that does not answer for so long is kUnavailable; one that has never answered, after 20 s.
  std::chrono::milliseconds unavailable_after = std::chrono::minutes(1);
  // Once it is cancelled, one that does not answer for kHurriedWait is kUnavailable. Outlives the client. May be null.
  const CancelToken* hurry = nullptr;
};

inline constexpr std::chrono::seconds kTokenTimeout{30};
inline constexpr std::chrono::milliseconds kHurriedWait{3000};

class KafkaHandle {
 public:
  struct Own {
    const char* name;
    std::string value;
  };
  struct Options {
    rd_kafka_type_t type = RD_KAFKA_CONSUMER;
    std::vector<Own> own;  // what drstream sets itself
    // Called by `serve` for each message that a producer has stored or given up, with `delivered_to`.
    void (*delivered)(const rd_kafka_message_t& message, void* delivered_to) = nullptr;
    void* delivered_to = nullptr;
    // Called by `serve` with librdkafka's statistics, where the setting statistics.interval.ms asks for them.
    std::function<void(std::string_view json)> statistics;
  };

  // Connects in the background. Errors: kUsage.
  static Result<std::unique_ptr<KafkaHandle>> open(const KafkaSettings& settings, const KafkaClientOptions& client,
                                                   const Options& options);
  // Topics, queues and messages of this client must be destroyed before.
  ~KafkaHandle();
  KafkaHandle(const KafkaHandle&) = delete;
  KafkaHandle& operator=(const KafkaHandle&) = delete;

  [[nodiscard]] rd_kafka_t* raw() const { return raw_; }
  // How long to wait for a cluster that does not answer, as of now.
  [[nodiscard]] std::chrono::milliseconds unavailable_after() const;

  // Runs the callbacks that wait. Waits for one at most so long.
  void serve(std::chrono::milliseconds wait);

  // Repeats a request until it is answered, fails for good, or nothing has answered for `unavailable_after`. The
  // request gets the time it may take. Errors: those of kafka_error; kCancelled.
  Result<void> ask(const KafkaAct& act, const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request);

  // The error for a cluster that does not answer, with the last reason: kDenied if logins fail, else kUnavailable.
  Error unreachable(const KafkaAct& act) const;
  // True if logins, or TLS handshakes at the first contact, have failed since `since`, and nothing else was reported
  // after.
  [[nodiscard]] bool login_fails(std::chrono::steady_clock::time_point since) const;

  // How often librdkafka has found a topic missing or closed to us. It reports so without naming the topic.
  [[nodiscard]] std::uint64_t topic_errors() const;

  void cancel() { cancel_.cancel(); }
  [[nodiscard]] bool cancelled() const { return cancel_.cancelled(); }
  [[nodiscard]] CancelToken& cancel_token() { return cancel_; }
  static Error cancelled_error() { return Error(ErrorCode::kCancelled, "cancelled"); }

 private:
  explicit KafkaHandle(const KafkaClientOptions& client) : client_(client) {}
  Result<void> configure(rd_kafka_conf_t* conf, const KafkaSettings& settings, const Options& options);
  void set_callbacks(rd_kafka_conf_t* conf, const Options& options);
  void refresh_token(rd_kafka_t* raw);
  void note_error(rd_kafka_resp_err_t error, std::string_view reason);

  const KafkaClientOptions client_;
  rd_kafka_t* raw_ = nullptr;
  CancelToken cancel_;
  std::atomic<bool> answered_ = false;  // a request, ever
  std::string token_command_;
  void (*delivered_)(const rd_kafka_message_t&, void*) = nullptr;
  void* delivered_to_ = nullptr;
  std::function<void(std::string_view)> statistics_;
  mutable std::mutex mutex_;  // guards what follows
  rd_kafka_resp_err_t last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string last_reason_;
  std::chrono::steady_clock::time_point last_error_at_{};
  std::uint64_t topic_errors_ = 0;
};

// Whether this librdkafka knows a setting of that value.
bool kafka_client_knows(const char* name, const char* value);

}  // namespace drs
