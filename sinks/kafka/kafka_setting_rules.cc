#include "sinks/kafka/kafka_setting_rules.h"

#include <algorithm>

#include "io/base/ascii.h"

namespace drs {
namespace {

// What the reader, the writer and the cluster rely on, or what changes which records they see.
constexpr std::string_view kOurs[] = {
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.num.messages",
    "batch.size",
    "builtin.features",
    "check.crcs",
    "compression.codec",
    "compression.type",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "enabled_events",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "interceptors",
    "internal.termination.signal",
    "isolation.level",
    "linger.ms",
    "log.queue",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "message.copy.max.bytes",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "partitioner",
    "plugin.library.paths",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "queuing.strategy",
    "receive.message.max.bytes",
    "request.required.acks",
    "retries",
    "session.timeout.ms",
    "statistics.interval.ms",
    "sticky.partitioning.linger.ms",
    "test.mock.num.brokers",
    "topic.blacklist",
    "topic.metadata.propagation.max.ms",
    "transaction.timeout.ms",
    "transactional.id",
};

struct JavaKey {
  std::string_view name;  // one that ends in '*' stands for all that begin so
  std::string_view advice;
};

constexpr std::string_view kNoCounterpart = "librdkafka has no counterpart: leave it out";

// https://kafka.apache.org/documentation/#adminclientconfigs; the first that matches counts.
constexpr JavaKey kJavaKeys[] = {
    {"ssl.truststore.*", "set ssl.ca.location, a PEM file with the certificates of the authorities"},
    {"ssl.keystore.type",
     "set ssl.keystore.location to a PKCS#12 file, or ssl.certificate.location and "
     "ssl.key.location to PEM files"},
    {"ssl.keystore.key", "set ssl.key.location or ssl.key.pem"},
    {"ssl.keystore.certificate.chain", "set ssl.certificate.location or ssl.certificate.pem"},
    {"ssl.enabled.protocols", kNoCounterpart},
    {"ssl.protocol", kNoCounterpart},
    {"ssl.provider", kNoCounterpart},
    {"ssl.keymanager.algorithm", kNoCounterpart},
    {"ssl.trustmanager.algorithm", kNoCounterpart},
    {"ssl.secure.random.implementation", kNoCounterpart},
    {"ssl.engine.factory.class", kNoCounterpart},
    {"sasl.jaas.config",
     "set sasl.username and sasl.password (PLAIN, SCRAM), sasl.kerberos.principal and "
     "sasl.kerberos.keytab (GSSAPI), or token_command (OAUTHBEARER)"},
    {"sasl.client.callback.handler.class", "set token_command, a command that prints a token"},
    {"sasl.login.callback.handler.class", "set token_command, a command that prints a token"},
    {"sasl.login.*", kNoCounterpart},
    {"sasl.kerberos.ticket.renew.*", kNoCounterpart},
    {"key.serializer", kNoCounterpart},
    {"value.serializer", kNoCounterpart},
    {"key.deserializer", kNoCounterpart},
    {"value.deserializer", kNoCounterpart},
    {"interceptor.classes", kNoCounterpart},
    {"partitioner.class", kNoCounterpart},
    {"metric.reporters", kNoCounterpart},
    {"metrics.*", kNoCounterpart},
    {"auto.include.jmx.reporter", kNoCounterpart},
    {"default.api.timeout.ms", "set socket.timeout.ms"},
    {"client.dns.lookup", kNoCounterpart},
    {"security.providers", kNoCounterpart},
    {"send.buffer.bytes", "set socket.send.buffer.bytes"},
    {"receive.buffer.bytes", "set socket.receive.buffer.bytes"},
};

bool matches(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::optional<std::string> refused_kafka_setting(std::string_view name, std::string_view value) {
  if (name == "metadata.broker.list") return "is another name of bootstrap.servers: set that";
  if (std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs))
    return "is set by drstream itself: leave it out";
  for (const JavaKey& key : kJavaKeys)
    if (matches(key.name, name)) return "is a setting of Java's client: " + std::string(key.advice);
  const std::string lower = ascii_lower(value);
  if (name == "ssl.keystore.location" && (lower.ends_with(".jks") || lower.ends_with(".jceks")))
    return "names a Java key store: convert it with keytool -importkeystore -deststoretype PKCS12";
  return std::nullopt;
}

std::string_view kafka_setting_name(std::string_view name) {
  return name == "sasl.mechanism" ? "sasl.mechanisms" : name;
}

}  // namespace drs
