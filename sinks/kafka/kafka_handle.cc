#include "sinks/kafka/kafka_handle.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "io/base/catch_thrown.h"
#include "sinks/kafka/kafka_owners.h"
#include "sinks/kafka/kafka_token.h"
#include "sinks/transport/foreign_text.h"

namespace drs {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kWarning = 4;  // severities are those of syslog
constexpr milliseconds kFirstTry{1000};
constexpr milliseconds kLongestTry{5000};  // a call that was cancelled may last so long
constexpr milliseconds kBetweenTries{100};
constexpr std::chrono::seconds kReasonLasts{30};
// For a cluster that has never answered: rather a wrong address than an outage.
constexpr milliseconds kFirstContact{20'000};

Result<void> set(rd_kafka_conf_t* conf, const std::string& name, std::string_view value, bool secret) {
  SecretBytes terminated(value.size() + 1);
  std::copy(value.begin(), value.end(), terminated.mutable_view().begin());
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(conf, name.c_str(), reinterpret_cast<const char*>(terminated.view().data()), text.data(),
                        text.size()) == RD_KAFKA_CONF_OK)
    return {};
  return Error(ErrorCode::kUsage, secret ? "librdkafka refuses the value of " + name : kafka_text(text.data()));
}

}  // namespace

Result<std::unique_ptr<KafkaHandle>> KafkaHandle::open(const KafkaSettings& settings, const KafkaClientOptions& client,
                                                       const Options& options) {
  std::unique_ptr<KafkaHandle> handle(new KafkaHandle(client));
  KafkaConf conf(rd_kafka_conf_new());
  DRS_RETURN_IF_ERROR(handle->configure(conf.get(), settings, options));
  std::array<char, 512> text{};
  handle->raw_ = rd_kafka_new(options.type, conf.get(), text.data(), text.size());
  if (handle->raw_ == nullptr)
    return Error(ErrorCode::kUsage,
                 "librdkafka refuses the settings: " + kafka_text(without_secrets(text.data(), settings.secrets())));
  static_cast<void>(conf.release());  // librdkafka owns it now
  if (settings.token_command()) {
    // Tokens are fetched on a thread of librdkafka: a call of ours may be waiting for the login.
    const KafkaErrorObject refused(rd_kafka_sasl_background_callbacks_enable(handle->raw_));
    if (refused) return Error(ErrorCode::kInternal, kafka_text(rd_kafka_error_string(refused.get())));
  }
  return handle;
}

Result<void> KafkaHandle::configure(rd_kafka_conf_t* conf, const KafkaSettings& settings, const Options& options) {
  DRS_RETURN_IF_ERROR(set(conf, "client.id", "drstream", false));
  DRS_RETURN_IF_ERROR(set(conf, "log_level", std::to_string(kWarning), false));
  DRS_RETURN_IF_ERROR(set(conf, "socket.keepalive.enable", "true", false));
  DRS_RETURN_IF_ERROR(set(conf, "allow.auto.create.topics", "false", false));
  for (const KafkaSettings::Setting& setting : settings.values())
    DRS_RETURN_IF_ERROR(set(conf, setting.name, as_text(setting.value.view()), is_kafka_secret(setting.name)));
  for (const Own& own : options.own) DRS_RETURN_IF_ERROR(set(conf, own.name, own.value, false));
  if (settings.token_command()) token_command_ = *settings.token_command();
  set_callbacks(conf, options);
  return {};
}

void KafkaHandle::set_callbacks(rd_kafka_conf_t* conf, const Options& options) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t* raw, int severity, const char*, const char* line) {
    const auto* const self = static_cast<const KafkaHandle*>(rd_kafka_opaque(raw));
    if (self->client_.log) self->client_.log(severity, kafka_text(line));
  });
  rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t*, int error, const char* reason, void* self) {
    static_cast<KafkaHandle*>(self)->note_error(static_cast<rd_kafka_resp_err_t>(error), reason);
  });
  if (!token_command_.empty()) {
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(
        conf, [](rd_kafka_t* raw, const char*, void* self) { static_cast<KafkaHandle*>(self)->refresh_token(raw); });
  }
  statistics_ = options.statistics;
  if (statistics_)
    rd_kafka_conf_set_stats_cb(conf, [](rd_kafka_t*, char* json, std::size_t size, void* self) {
      static_cast<KafkaHandle*>(self)->statistics_({json, size});
      return 0;  // librdkafka keeps the document
    });
  delivered_ = options.delivered;
  delivered_to_ = options.delivered_to;
  if (delivered_ != nullptr)
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      const auto* const handle = static_cast<const KafkaHandle*>(self);
      handle->delivered_(*message, handle->delivered_to_);
    });
}

KafkaHandle::~KafkaHandle() {
  cancel_.cancel();  // ends a token command
  if (raw_ != nullptr) rd_kafka_destroy_flags(raw_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaHandle::refresh_token(rd_kafka_t* raw) {
  ChildOptions child = client_.token_child;
  if (!child.timeout) child.timeout = kTokenTimeout;
  Result<KafkaToken> token =
      catch_thrown([&]() -> Result<KafkaToken> { return fetch_kafka_token(token_command_, child, cancel_); });
  std::array<char, 512> text{};
  if (!token.ok()) {
    rd_kafka_oauthbearer_set_token_failure(raw, kafka_text(token.error().message).c_str());
    return;
  }
  SecretBytes terminated(token->token.size() + 1);
  std::copy(token->token.view().begin(), token->token.view().end(), terminated.mutable_view().begin());
  if (rd_kafka_oauthbearer_set_token(raw, reinterpret_cast<const char*>(terminated.view().data()), token->expires_ms,
                                     token->principal.c_str(), nullptr, 0, text.data(),
                                     text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_oauthbearer_set_token_failure(
        raw, kafka_text(without_secrets(text.data(), {as_text(token->token.view())})).c_str());
}

void KafkaHandle::note_error(rd_kafka_resp_err_t error, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || kafka_error_code(error) == ErrorCode::kNotFound) {
    ++topic_errors_;
    return;
  }
  // "All brokers are down" says less than the reason before it.
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || last_reason_.empty()) {
    last_error_ = error;
    last_reason_ = kafka_text(reason);
  }
  last_error_at_ = Steady::now();
}

void KafkaHandle::serve(milliseconds wait) {
  rd_kafka_poll(raw_, static_cast<int>(wait.count()));
}

std::uint64_t KafkaHandle::topic_errors() const {
  const std::lock_guard lock(mutex_);
  return topic_errors_;
}

bool KafkaHandle::login_fails(Steady::time_point since) const {
  const std::lock_guard lock(mutex_);
  // A broker that restarts breaks handshakes, too: only at the first contact are they a matter of certificates.
  const bool untrusted = last_error_ == RD_KAFKA_RESP_ERR__SSL && !answered_;
  return (last_error_ == RD_KAFKA_RESP_ERR__AUTHENTICATION || untrusted) && last_error_at_ >= since;
}

Error KafkaHandle::unreachable(const KafkaAct& act) const {
  const std::lock_guard lock(mutex_);
  // An older reason belongs to an outage before this one.
  const bool recent = Steady::now() - last_error_at_ < client_.unavailable_after + kReasonLasts;
  const bool denied = recent && last_error_ == RD_KAFKA_RESP_ERR__AUTHENTICATION;
  const bool untrusted = recent && last_error_ == RD_KAFKA_RESP_ERR__SSL;
  std::string text = act.what + ": " +
                     (denied      ? "the login fails"
                      : untrusted ? "the TLS connection fails"
                                  : "the brokers do not answer");
  if (recent && !last_reason_.empty()) text += ": " + last_reason_;
  return Error(denied ? ErrorCode::kDenied : ErrorCode::kUnavailable, std::move(text));
}

milliseconds KafkaHandle::unavailable_after() const {
  const bool hurried = client_.hurry != nullptr && client_.hurry->cancelled();
  return hurried ? std::min(client_.unavailable_after, kHurriedWait) : client_.unavailable_after;
}

Result<void> KafkaHandle::ask(const KafkaAct& act, const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request) {
  const Steady::time_point start = Steady::now();
  // A token command may take longer than the first contact.
  const bool patient = answered_ || !token_command_.empty();
  milliseconds slice = kFirstTry;
  while (true) {
    if (cancelled()) return cancelled_error();
    const milliseconds wait = unavailable_after();
    const Steady::time_point deadline = start + (patient ? wait : std::min(wait, kFirstContact));
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now());
    const rd_kafka_resp_err_t error = request(static_cast<int>(std::clamp(left, milliseconds(1), slice).count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      answered_ = true;
      return {};
    }
    serve(milliseconds(0));
    if (kafka_error_code(error) != ErrorCode::kUnavailable) return kafka_error(error, {}, act);
    if (login_fails(start)) return unreachable(act);
    if (Steady::now() >= deadline)
      return is_passing_kafka_error(error) ? kafka_error(error, {}, act) : unreachable(act);
    slice = std::min(slice * 2, kLongestTry);
    std::this_thread::sleep_for(kBetweenTries);
  }
}

bool kafka_client_knows(const char* name, const char* value) {
  const KafkaConf scratch(rd_kafka_conf_new());
  return rd_kafka_conf_set(scratch.get(), name, value, nullptr, 0) == RD_KAFKA_CONF_OK;
}

}  // namespace drs
