"""How drstream signs in to Kafka, and that the rules of `policy kafka` are enough."""

import re
import shlex
import time

import pytest
from kafka_archives import Archives, as_printed
from services.kafka_security import token
from test_kafka_archive import RECORDS, numbered, topic  # noqa: F401

# The users of the services: alice has a password, bob a certificate, both tokens.
LISTENERS = [("SCRAM", "alice"), ("SCRAM_SSL", "alice"), ("MTLS", "bob"), ("OAUTH", "alice"), ("OAUTH_SSL", "bob")]


class Signed(Archives):
    """The commands as a user, through one listener. The client is another one, who may do everything."""

    def __init__(self, drs, kafka, listener, user):
        super().__init__(drs, kafka)
        self.listener = listener
        self.principal = "User:CN=bob" if listener == "MTLS" else f"User:{user}"
        settings = kafka.client_settings(listener, user)
        if listener.startswith("OAUTH"):
            settings = {name: value for name, value in settings.items() if "oauthbearer" not in name}
            settings["token_command"] = f"cat {shlex.quote(str(self.file('token', token(user))))}"
        for name in ("bootstrap.servers", "broker.address.family"):
            settings.pop(name, None)
        self.config = self.file("client.properties", "".join(f"{name}={value}\n" for name, value in settings.items()))

    def file(self, name, text):
        path = self.drs.folder / f"{self.listener}-{name}"
        path.write_text(text)
        path.chmod(0o600)
        return path

    def arguments(self, *words):
        return ["kafka", *words, "--bootstrap", self.kafka.listeners[self.listener], "--kafka-config-file", self.config]

    def allow(self, role):
        """Grants what `policy kafka` says."""
        for rule in self.drs.json("policy", "kafka", "--role", role, "--principal", self.principal)["acls"]:
            kind, operation = rule["resource"].upper(), re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rule["operation"]).upper()
            name = "kafka-cluster" if kind == "CLUSTER" else "*"
            self.client.allow(self.principal, operation, "BROKER" if kind == "CLUSTER" else kind, name)


@pytest.mark.parametrize("listener, user", LISTENERS)
def test_a_user_may_archive_and_restore_by_the_rules_of_the_policy(drs, kafka_secured, topic, listener, user):  # noqa: F811
    signed = Signed(drs, kafka_secured, listener, user)
    signed.client.create_topic(topic, partitions=2)
    signed.client.produce(topic, 0, RECORDS)
    signed.client.produce(topic, 1, numbered(300))
    group = f"{topic}-group"
    signed.client.commit_group(group, {(topic, 1): 100})
    signed.allow("archive")
    signed.archive("prod", "--topics", topic)
    assert signed.cat("prod", f"{topic}/1") == [as_printed(record) for record in signed.client.read(topic, 1)]
    assert [found["group"] for found in signed.show("prod")["groups"]] == [group]
    signed.allow("restore")
    restored = drs.json(*signed.arguments("restore", "prod", "--rename", "{topic}.r"))
    assert restored["proven"] and restored["records"] == 305
    drs.run(*signed.arguments("compare", "prod", "--rename", "{topic}.r", "--records"))
    undo = drs.folder / "undo.json"
    drs.run(*signed.arguments("offsets", "prod", "--rename", "{topic}.r", "--groups", group, "--apply", undo))
    assert signed.client.group_offsets(group)[(f"{topic}.r", 1)] == 100
    drs.run(*signed.arguments("offsets", "prod", "--undo", undo))
    assert (f"{topic}.r", 1) not in signed.client.group_offsets(group)


def test_wrong_credentials_are_said_at_once_and_never_printed(drs, kafka_secured, topic):  # noqa: F811
    signed = Signed(drs, kafka_secured, "SCRAM_SSL", "alice")
    signed.client.create_topic(topic)
    secret = "not-the-password-of-alice"
    signed.config.write_text(re.sub("(?m)^sasl.password=.*$", f"sasl.password={secret}", signed.config.read_text()))
    began = time.monotonic()
    said = signed.fails(3, "archive", "prod", "--topics", topic, "-v")
    assert time.monotonic() - began < 30
    assert "authentication" in said.lower() and secret not in said
    # The authority of the server's certificate is not the one that is trusted.
    signed.listener = "SSL"
    signed.config.write_text("security.protocol=SSL\nssl.ca.location=/etc/ssl/certs/ca-certificates.crt\n")
    said = signed.fails(3, "archive", "prod", "--topics", topic)
    assert "certificate" in said.lower()
    assert drs.snapshots() == []


def test_a_secret_of_the_environment_signs_in_and_stays_out_of_argv(drs, kafka_secured, topic):  # noqa: F811
    signed = Signed(drs, kafka_secured, "SCRAM", "alice")
    signed.client.create_topic(topic)
    signed.client.produce(topic, 0, numbered(5))
    signed.allow("archive")
    password = kafka_secured.security.users["alice"]
    signed.config.write_text("".join(line for line in signed.config.read_text().splitlines(keepends=True)
                                     if "password" not in line))
    secret = {"DRSTREAM_KAFKA_SASL_PASSWORD": password}
    report = signed.archive("prod", "--topics", topic, env=secret)
    assert report["records_read"] == 5
    assert "ignored" not in drs.run("list", env=secret).err
    refused = signed.fails(2, "archive", "prod", "--topics", topic, "--kafka-config", f"sasl.password={password}")
    assert "sasl.password" in refused and password not in refused


def test_a_token_command_sees_no_secret_of_the_environment(drs, kafka_secured, topic):  # noqa: F811
    signed = Signed(drs, kafka_secured, "OAUTH", "alice")
    signed.client.create_topic(topic)
    signed.client.produce(topic, 0, numbered(5))
    signed.allow("archive")
    seen = drs.folder / "seen"
    signed.config.write_text(signed.config.read_text().replace("token_command=", f"token_command=env > {seen}; "))
    signed.archive("prod", "--topics", topic, env={"DRSTREAM_KAFKA_SASL_PASSWORD": "a password", "KEPT": "this"})
    names = {line.split("=")[0] for line in seen.read_text().splitlines()}
    assert "KEPT" in names
    assert not {"BACKUP_ENCRYPTION_KEY", "DRSTREAM_KAFKA_SASL_PASSWORD"} & names
    assert "a password" not in seen.read_text()


def test_a_dry_run_says_which_topics_may_not_be_created(drs, kafka_secured, topic):  # noqa: F811
    owner = Signed(drs, kafka_secured, "SCRAM", "alice")
    owner.client.create_topic(topic)
    owner.client.produce(topic, 0, numbered(5))
    owner.allow("archive")
    owner.archive("prod", "--topics", topic)
    signed = Signed(drs, kafka_secured, "OAUTH_SSL", "may-create-little")
    signed.client.allow(signed.principal, "CREATE", "TOPIC", f"{topic}.mine")
    assert drs.json(*signed.arguments("restore", "prod", "--rename", "{topic}.mine", "--dry-run"))["conflicts"] == []
    plan = drs.json(*signed.arguments("restore", "prod", "--rename", "{topic}.theirs", "--dry-run"), expect=2)
    [conflict] = plan["conflicts"]
    assert f"Create on topic '{topic}.theirs'" in conflict
    said = signed.fails(2, "restore", "prod", "--rename", "{topic}.theirs")
    assert "nothing was written" in said and conflict in said
    assert f"{topic}.theirs" not in owner.client.topics()


def test_a_topic_that_may_not_be_read_is_named(drs, kafka_secured, topic):  # noqa: F811
    signed = Signed(drs, kafka_secured, "OAUTH_SSL", "nobody-allowed")
    signed.client.create_topic(topic)
    signed.client.produce(topic, 0, numbered(5))
    said = signed.fails(3, "archive", "prod", "--topics", topic)
    assert topic in said
    signed.client.allow(signed.principal, "DESCRIBE", "TOPIC", topic)
    signed.client.allow(signed.principal, "DESCRIBE_CONFIGS", "TOPIC", topic)
    said = signed.fails(3, "archive", "prod", "--topics", topic)
    assert "policy kafka" in said
    assert drs.snapshots() == []
