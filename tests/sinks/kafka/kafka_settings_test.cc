#include "sinks/kafka/kafka_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace drs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kBroker = "bootstrap.servers=localhost:9092";

KafkaSettingsSources with_options(std::vector<std::string> options) {
  KafkaSettingsSources sources;
  sources.options = std::move(options);
  sources.options.emplace_back(kBroker);
  return sources;
}

KafkaSettingsSources with_file(std::string_view text) {
  KafkaSettingsSources sources;
  sources.file_name = "client.properties";
  sources.file = text;
  sources.options = {kBroker};
  return sources;
}

std::string refusal(const KafkaSettingsSources& sources) {
  const auto settings = KafkaSettings::read(sources);
  if (settings.ok()) return "accepted";
  EXPECT_EQ(settings.error().code, ErrorCode::kUsage);
  return settings.error().message;
}

TEST(KafkaSettings, ReadsAPropertiesFileWithCommentsAndSpace) {
  const auto settings = KafkaSettings::read(
      with_file("# a comment = x\r\n\r\n  security.protocol =\tSASL_SSL \r\nsasl.username=a=b#c\nclient.rack=r"));
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->value("security.protocol"), "SASL_SSL");
  EXPECT_EQ(settings->value("sasl.username"), "a=b#c");
  EXPECT_EQ(settings->value("client.rack"), "r");
  EXPECT_EQ(settings->value("client.id"), std::nullopt);
}

TEST(KafkaSettings, AnOptionWinsOverAVariableAndThatOverTheFile) {
  KafkaSettingsSources sources = with_file("client.id=file\nclient.rack=file\nsocket.timeout.ms=1000\n");
  sources.environment = {{"DRSTREAM_KAFKA_CLIENT_ID", "variable"},
                         {"DRSTREAM_KAFKA_CLIENT_RACK", "variable"},
                         {"DRSTREAM_KAFKA_", "ignored"},
                         {"CLIENT_ID", "ignored"}};
  sources.options.emplace_back("client.id=option");
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->value("client.id"), "option");
  EXPECT_EQ(settings->value("client.rack"), "variable");
  EXPECT_EQ(settings->value("socket.timeout.ms"), "1000");
}

TEST(KafkaSettings, KnowsNamesWithUnderscoresAsVariables) {
  KafkaSettingsSources sources = with_options({"sasl.mechanism=OAUTHBEARER"});
  sources.environment = {{"DRSTREAM_KAFKA_LOG_LEVEL", "5"}, {"DRSTREAM_KAFKA_TOKEN_COMMAND", "cat token"}};
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->value("log_level"), "5");
  EXPECT_EQ(settings->token_command(), "cat token");
  EXPECT_EQ(settings->value("token_command"), std::nullopt);
}

TEST(KafkaSettings, TakesTheTwoNamesOfASettingAsOne) {
  KafkaSettingsSources sources = with_file("sasl.mechanisms=PLAIN\n");
  sources.options.emplace_back("sasl.mechanism=SCRAM-SHA-256");
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->value("sasl.mechanisms"), "SCRAM-SHA-256");
}

TEST(KafkaSettings, RefusesASecretOnTheCommandLineWithoutShowingIt) {
  for (const char* name : {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
                           "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "ssl.truststore.password"}) {
    const std::string why = refusal(with_options({std::string(name) + "=hunter2"}));
    EXPECT_THAT(why, HasSubstr(name));
    EXPECT_THAT(why, HasSubstr("on the command line everyone can read it: put it into a file"));
    EXPECT_THAT(why, Not(HasSubstr("hunter2")));
  }
}

TEST(KafkaSettings, TakesSecretsFromFilesAndVariables) {
  KafkaSettingsSources sources = with_file("sasl.password = in the file\n");
  sources.environment = {{"DRSTREAM_KAFKA_SSL_KEY_PASSWORD", "in a variable"}};
  const auto settings = KafkaSettings::read(sources);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_THAT(settings->secrets(), ::testing::UnorderedElementsAre("in the file", "in a variable"));
}

TEST(KafkaSettings, RefusesKeysOfTheJavaClientAndNamesItsOwn) {
  const std::pair<const char*, const char*> cases[] = {
      {"ssl.truststore.location=/a.jks", "set ssl.ca.location"},
      {"ssl.truststore.type=JKS", "set ssl.ca.location"},
      {"ssl.keystore.type=JKS", "ssl.keystore.location to a PKCS#12 file"},
      {"ssl.keystore.location=/a.JKS", "keytool -importkeystore"},
      {"sasl.jaas.config=org.apache X required password=\"hunter2\";", "set sasl.username and sasl.password"},
      {"sasl.client.callback.handler.class=software.amazon.msk", "set token_command"},
      {"sasl.login.callback.handler.class=a", "set token_command"},
      {"key.serializer=a", "leave it out"},
      {"ssl.enabled.protocols=TLSv1.3", "leave it out"},
      {"receive.buffer.bytes=65536", "set socket.receive.buffer.bytes"}};
  for (const auto& [line, advice] : cases) {
    const std::string why = refusal(with_file(line));
    EXPECT_THAT(why, HasSubstr(advice)) << line;
    EXPECT_THAT(why, ::testing::StartsWith("client.properties:1: ")) << line;
    EXPECT_THAT(why, Not(HasSubstr("hunter2")));
  }
}

TEST(KafkaSettings, RefusesWhatDrstreamSetsItself) {
  for (const char* name : {"group.id", "enable.auto.commit", "isolation.level", "auto.offset.reset",
                           "enable.idempotence", "check.crcs", "queued.min.messages", "fetch.max.bytes", "acks",
                           "compression.type", "plugin.library.paths", "allow.auto.create.topics"})
    EXPECT_THAT(refusal(with_options({std::string(name) + "=1"})), HasSubstr("is set by drstream itself")) << name;
  EXPECT_THAT(refusal(with_options({"metadata.broker.list=a:1"})), HasSubstr("bootstrap.servers"));
}

TEST(KafkaSettings, QuotesLibrdkafkaOnWhatItDoesNotKnow) {
  EXPECT_THAT(refusal(with_options({"no.such.thing=1"})), HasSubstr("No such configuration property"));
  EXPECT_THAT(refusal(with_options({"socket.timeout.ms=abc"})), HasSubstr("socket.timeout.ms"));
  EXPECT_THAT(refusal(with_options({"error_cb=1"})), HasSubstr("error_cb"));
}

TEST(KafkaSettings, NamesTheLineOfAFaultAndDoesNotQuoteIt) {
  EXPECT_EQ(refusal(with_file("client.id=a\n\nhunter2\n")), "client.properties:3: expected NAME=VALUE");
  EXPECT_EQ(refusal(with_file("= hunter2\n")), "client.properties:1: expected NAME=VALUE");
  EXPECT_EQ(refusal(with_file("client.id=a\nclient.id=b\n")),
            "client.properties:2: client.id is already set in line 1");
  EXPECT_THAT(refusal(with_file(std::string_view("client.id=a\0b\n", 14))), HasSubstr("NUL byte"));
}

TEST(KafkaSettings, RefusesToGuessBrokersAndTokens) {
  EXPECT_THAT(refusal({}), HasSubstr("bootstrap.servers is not set"));
  EXPECT_THAT(refusal(with_options({"bootstrap"})), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refusal(with_options({"sasl.mechanisms=OAUTHBEARER"})), HasSubstr("set token_command"));
  EXPECT_THAT(refusal(with_options({"token_command=x"})), HasSubstr("sasl.mechanisms is not OAUTHBEARER"));
  EXPECT_THAT(refusal(with_options(
                  {"token_command=x", "sasl.mechanisms=OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt=true"})),
              HasSubstr("leave one of them out"));
}

}  // namespace
}  // namespace drs
