"""Every JSON document that the command prints is as docs/schemas describes it, and every schema describes one."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_support import QUICK
from json_schemas import (DOCUMENTS, SCHEMAS, assert_valid, check_printed, declared_fields, documents_in, jsonschema,
                          schema_name, used_fields)
from removals import remove
from repository import Repository, sample_bytes
from s3_repository import S3Repository
from services.kafka_client import Message

ROOT = Path(__file__).resolve().parents[2]
DENY_IO_URING = [sys.executable, Path(__file__).with_name("deny_io_uring.py")]

STREAM = "pg/app"
DATA = sample_bytes(300_000)

TEXT_ALONE = {"help", "completion bash", "completion zsh", "completion fish"}
# Fields that no command of this version gives a value, each with its reason.
UNUSED = {
    "common:archived_topic.topic_id": "librdkafka 2.0 cannot ask for it",
    "kafka-restore.topics[].refused_configs[].name": "one cluster refuses nothing that it has accepted",
    "kafka-restore.topics[].refused_configs[].reason": "the same",
    "forget.streams[].snapshots[].kept_by[].until": "no command makes holds yet",
    "forget.streams[].snapshots[].kept_by[].reason": "no command makes holds yet",
}


class Answers:
    """What commands with --json have said: documents, and the exit codes of each command."""

    def __init__(self):
        self.documents = []
        self.exits = {}

    def ask(self, repository, *arguments, **options):
        """Runs a command, which must answer with one document. Returns it."""
        outcome = repository.run("--json", *arguments, **options)
        printed = outcome.out if documents_in(outcome.out) else outcome.err.encode()
        found = [document for document in documents_in(printed) if "schema" in document]
        assert len(found) == 1, f"drstream {arguments}: {printed}"
        if printed is outcome.out:
            assert json.loads(printed) == found[0], "something stands beside the document"
        assert found[0].get("exit_code", 0) == outcome.code or outcome.code < 0
        self.documents += found
        words = [word for word in map(str, arguments[:2]) if re.fullmatch("[a-z]+[0-9]?", word)]
        for command in {words[0], " ".join(words)}:
            self.exits.setdefault(command, set()).add(outcome.code)
        return found[0]

    def keep(self, printed):
        self.documents += documents_in(printed)


@pytest.fixture(scope="module")
def answers(missing, binary, minio, kafka, tmp_path_factory):
    if jsonschema is None:
        missing("there is no Python package jsonschema (python3-jsonschema)")
    world = World(Answers(), binary, minio, kafka, tmp_path_factory.mktemp("schemas"))
    for part in (push_and_read, forget, hold_and_bring_back, prune_beside_a_push, push_to_several, find_damage,
                 find_what_is_gone, sweep_in_parts, copy, manage_keys, finish_pushes,
                 look_around, follow, archive_topics):  # fmt: skip
        part(world)
    return world.answers


class World:
    """Where the commands run: a folder, repositories in it, MinIO and Kafka."""

    def __init__(self, answers, binary, minio, kafka, folder):
        self.answers, self.binary, self.minio, self.kafka, self.folder = answers, binary, minio, kafka, folder
        self.ask = answers.ask

    def place(self, name, **options):
        folder = self.folder / name
        folder.mkdir()
        return Repository(self.binary, folder, **options)

    def repository(self, name, **options):
        made = self.place(name, **options)
        made.run("init")
        return made

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path


def push_and_read(world):
    ask, drs = world.ask, world.place("one")
    (world.folder / "file").write_bytes(DATA)
    ask(drs, "init")
    ask(drs, "init", expect=2)
    dump = f"echo note >&2; cat {world.folder}/file; echo end"
    ask(drs, "push", STREAM, "--require-trailer", "end", "--tag", "env=test", "--exec", "--", "sh", "-c", dump)
    ask(drs, "push", STREAM, "--file", world.folder / "file", "--no-stream-sha256")
    ask(drs, "push", STREAM, "--min-size", "1GiB", "--on-anomaly", "tag", input=DATA)
    ask(drs, "push", STREAM, "--exec", "--", "false", expect=3)
    ask(drs, "list")
    ask(drs, "list", "pg/ap", expect=16)
    ask(drs, "show", STREAM)
    ask(drs, "show", "pg/ap", expect=16)
    ask(drs, "status", "--newest-within", "1d")
    ask(drs, "status", "pg/absent", expect=16)
    ask(drs, "stats")
    ask(drs, "stats", env={"BACKUP_ENCRYPTION_KEY": None}, expect=12)
    ask(drs, "pull", f"{STREAM}@latest")
    ask(drs, "pull", STREAM, "-o", world.folder / "part", "--offset", "1KiB", "--length", "2KiB")
    ask(drs, "pull", STREAM, "--consumer-may-stop", "--exec", "--", "true")
    ask(drs, "pull", "pg/ap", expect=16)
    ask(drs, "verify", "--read-data", STREAM)
    ask(drs, "scrub")
    ask(drs, "repair", "index", "--all")
    ask(drs, "repair", "packs", "--dry-run")
    bucket = S3Repository(world.binary, world.folder, world.minio.client(), world.minio.new_bucket())
    bucket.run("init")
    ask(bucket, "push", STREAM, input=DATA)
    ask(bucket, "pull", STREAM, "-o", world.folder / "from-bucket")
    ask(bucket, "doctor")


def forget(world):
    ask, drs = world.ask, world.repository("forgotten")
    for day in (1, 2, 3, 4):
        drs.push(STREAM, b"%d" % day, "--time", f"2026-01-0{day}T02:00Z")
    drs.push("etc", DATA)
    ask(drs, "forget", expect=2)
    ask(drs, "forget", "--keep-tag", "nothing", expect=15)
    ask(drs, "forget", STREAM, "--keep-last", "2", "--keep-yearly", "2", "--prune")
    file = world.secret("retention.toml", '[[retention]]\nstreams = "pg/"\nkeep-last = 2\n'
                        '[[expect]]\nstreams = "pg/"\nnewest-within = "1h"\nverified-within = "30d"\n')
    ask(drs, "forget", "--config", file, "--dry-run")
    ask(drs, "config", "check", "--config", file)
    drs.flip(drs.json("show", "etc")["manifest"])
    ask(drs, "forget", "--all", STREAM)


def hold_and_bring_back(world):
    ask, drs = world.ask, world.repository("held")
    first = ask(drs, "push", STREAM, "--hold", "--hold-until", "90d", input=DATA)["id"]
    second = drs.push(STREAM, DATA[:-5])["id"]
    ask(drs, "hold", first, "--until", "2020-01-01", expect=2)
    kept = ask(drs, "hold", first, "--reason", "migration")["stored"]
    ask(drs, "show", first)
    ask(drs, "hold", "--release", first)
    remove(drs, first, "by hand")
    ask(drs, "hold", first, expect=16)
    ask(drs, "list", "--removed")
    ask(drs, "unforget", "0123456789", expect=16)
    ask(drs, "unforget", first, "--hold", "--reason", "a mistake")
    ask(drs, "unforget", first)
    drs.write_object(kept.replace("00000001", "00000009"), b"rot")
    mark = remove(drs, second, "damaged")
    drs.flip(mark["manifest"])
    ask(drs, "list", "--removed")


def prune_beside_a_push(world):
    ask, drs = world.ask, world.repository("pruned")
    drs.push("dead", os.urandom(2_000_000), *QUICK)
    drs.run("forget", "--all", "dead")
    drs.push(STREAM, DATA)
    process = drs.start("push", "other", *QUICK, stdin=subprocess.PIPE)
    process.stdin.write(DATA)
    process.stdin.flush()
    while not drs.names("sessions"):
        time.sleep(0.05)
    ask(drs, "prune", "--undo", "0", "--min-age", "0")
    ask(drs, "prune", "--undo", "0", "--dry-run")
    ask(drs, "prune", "--exclusive", "--undo", "0", expect=11)
    ask(drs, "prune", "--exclusive", "--undo", "0", "--force")
    process.communicate()
    assert process.returncode == 7
    manifest = drs.names("manifests")[0]
    drs.flip(manifest)
    ask(drs, "prune", expect=4)


def push_to_several(world):
    ask, first = world.ask, world.repository("first", memory="256MiB")
    second = world.repository("second", key=first.key, memory="256MiB")
    second.push(STREAM, DATA)
    also = ["--max-shrink", "50%", "--also"]
    for repository, other in ((first, second), (second, first)):
        document = ask(repository, "push", STREAM, *also, other.path, input=DATA[:1000], expect=15)
        assert sorted(entry["exit_code"] for entry in document["repositories"]) == [0, 15]
    ask(first, "push", STREAM, "--also", second.path, input=DATA)


def find_damage(world):
    ask, drs = world.ask, world.repository("damaged")
    for _ in range(2):
        drs.push(STREAM, sample_bytes(5_000_000), *QUICK)
    drs.flip(drs.largest_pack())
    ask(drs, "verify", "--read-data", expect=4)
    ask(drs, "scrub", expect=4)
    ask(drs, "pull", STREAM, "-o", world.folder / "broken", expect=4)
    ask(drs, "pull", STREAM, "-o", world.folder / "rest", "--allow-holes", "--holes", world.folder / "map", expect=8)
    world.answers.keep((world.folder / "map").read_bytes())
    drs.push(STREAM, sample_bytes(2_000_000, seed=2), *QUICK)
    (hit,) = ask(drs, "verify", "--read-data", expect=4)["hit_streams"]
    assert "newest_intact" in hit and "newest_unchecked" not in hit
    (hit,) = ask(drs, "verify", expect=4)["hit_streams"]
    assert "newest_unchecked" in hit and "newest_intact" not in hit
    target = world.repository("of-damaged", key=drs.key)
    ask(target, "copy", "--from-repository", drs.path, expect=4)
    drs.flip(drs.names("manifests")[0])
    ask(target, "copy", "--from-repository", drs.path, expect=4)
    drs.write_object(drs.largest_pack(), b"")
    ask(drs, "repair", "index", "--all", expect=4)
    ask(drs, "repair", "packs", expect=4)
    ask(world.place("nothing"), "scrub", expect=10)
    nowhere = world.place("nowhere")
    ask(nowhere, "repair", "index", expect=10)
    ask(nowhere, "repair", "packs", expect=10)


def find_what_is_gone(world):
    drs = world.repository("gone")
    drs.remove_object(drs.push(STREAM, DATA)["manifest"])
    document = world.ask(drs, "verify", expect=13)
    assert {finding["severity"] for finding in document["findings"]} == {"warning", "deletion"}


def sweep_in_parts(world):
    ask, drs = world.ask, world.repository("swept")
    for seed in (1, 2):
        drs.push(STREAM, sample_bytes(2_000_000, seed=seed), *QUICK)
    first = ask(drs, "sweep", "--budget", "1B")
    assert first["packs_left"] > 0 and "oldest_unproven_time" in first["coverage"]
    ask(drs, "sweep")
    ask(drs, "sweep", "--level", "rebuild")
    ask(drs, "status", "--verified-within", "1d")
    no_key = {"BACKUP_ENCRYPTION_KEY": None}
    ask(drs, "sweep", "--level", "digest", env=no_key)
    ask(drs, "sweep", env=no_key, expect=12)
    drs.flip(drs.largest_pack())
    found = ask(drs, "sweep", "--verified-within", "0s", expect=4)
    assert found["damaged_snapshots"] and found["hit_streams"] and found["packs_marked"] == 1
    ask(drs, "status", "--verified-within", "1d", expect=4)
    drs.remove_object(drs.largest_pack())
    ask(drs, "sweep", "--verified-within", "0s", expect=4)
    assert "structure_failed_time" in ask(drs, "status", expect=4)
    shutil.rmtree(drs.path / "verified")
    (drs.path / "verified").write_bytes(b"in the way")
    assert "has to be moved away" in ask(drs, "sweep", "--budget", "45m", "--verified-within", "0s", expect=(4, 5))["ended"]


def copy(world):
    ask, drs = world.ask, world.repository("origin")
    drs.push(STREAM, DATA)
    replica = world.place("replica", key=drs.key)
    ask(replica, "init", "--replica-of", drs.path)
    arguments = ["copy", "--from-repository", drs.path]
    ask(replica, *arguments)
    ask(replica, *arguments)
    replica.remove_object(replica.largest_pack())
    (healed,) = ask(replica, *arguments)["snapshots"]
    assert healed["outcome"] == "healed"
    ask(replica, "copy", expect=2)


def manage_keys(world):
    ask, drs = world.ask, world.repository("keys")
    phrase = world.secret("phrase", "another way to come in")
    added = ask(drs, "key", "add", "--new-passphrase-file", phrase, "--label", "safe")
    ask(drs, "key", "list")
    slot = f"keys/{added['slot']}"
    (name,) = [name for name in drs.names("keys") if name.startswith(slot)]
    whole = drs.read_object(name)
    drs.flip(name)
    ask(drs, "key", "list")
    drs.write_object(name, whole)
    ask(drs, "key", "test")
    ask(drs, "key", "remove", added["slot"])
    ask(drs, "key", "remove", added["slot"], expect=2)
    ask(drs, "key", "add", expect=12)
    for command in ("list", "test"):
        ask(drs, "key", command, env={"BACKUP_ENCRYPTION_KEY": "0" * 64}, expect=12)


def finish_pushes(world):
    ask, drs = world.ask, world.repository("spooled")
    spool, log = world.folder / "spool", world.folder / "failpoints"
    push = ["push", STREAM, "--spool", spool]
    drs.run(*push, input=DATA, env={"DRSTREAM_FAILPOINT_LOG": str(log)})
    puts = log.read_text().split().count("spool.after_put")
    for number in (1, puts):  # before its end was proven, and with its manifest recorded
        drs.run(*push, input=DATA, env={"DRSTREAM_FAILPOINT": f"spool.after_put:{number}:abort"}, expect=-9)
    running = drs.start(*push, stdin=subprocess.PIPE)
    while len(list(spool.glob("*/objects"))) < 3:
        assert running.poll() is None
    document = ask(drs, "resume", "--spool", spool, expect=3)
    assert [len(document[name]) for name in ("committed", "failed", "running")] == [1, 1, 1]
    running.communicate(DATA)
    ask(drs, "resume", "--spool", spool)
    ask(drs, "resume", expect=2)


def look_around(world):
    ask, drs = world.ask, world.repository("around")
    ask(drs, "policy", "s3", env={"DRSTREAM_REPOSITORY": "s3://bucket/prefix"})
    ask(drs, "policy", "s3", expect=2)
    ask(drs, "doctor")
    ask(drs, "doctor", "--io", "uring", launcher=DENY_IO_URING, expect=2)
    ask(drs, "doctor", "--memory", "1MiB", expect=2)
    file = world.secret("config.toml", 'memory = "96MiB"\n[repository.aws]\nplace = "s3://bucket/x"\nlock-days = 3\n')
    ask(drs, "config", "check", "--config", file)
    ask(drs, "config", "check", "--config", world.folder / "absent.toml", expect=2)
    ask(drs, "version")
    ask(drs, "version", "--io", "uring", launcher=DENY_IO_URING, expect=2)


def follow(world):
    """Reports, lines of progress and of the log."""
    drs, spool = world.repository("followed"), world.folder / "followed-spool"
    reader, writer = os.pipe()
    with open(reader, "rb") as lines:
        script = "head -c 3000000 /dev/urandom; sleep 0.6; echo end"
        outcome = drs.run("push", STREAM, "--spool", spool, "--size-hint", "30MiB", "-v", "--log-format", "json",
                          "--progress-fd", writer, "--exec", "--", "sh", "-c", script, pass_fds=[writer])  # fmt: skip
        os.close(writer)
        world.answers.keep(lines.read())
    report = world.folder / "report.json"
    drs.run("status", "--report", report)
    world.answers.keep(report.read_bytes())
    drs.run("status", "pg/ap", "--report", report, expect=16)
    world.answers.keep(report.read_bytes())
    failed = drs.run("show", "pg/ap", "--log-format", "json", expect=16)
    pushed = drs.run("push", STREAM, "--log-format", "json", "--exec", "--", "false", expect=3)
    clear = world.place("clear", key=None).run("init", "--encryption", "none", "--log-format", "json")
    assert "NOT ENCRYPTED" in clear.err
    with open("/dev/full", "wb") as full:
        unprinted = drs.run("list", "--log-format", "json", stdout=full, expect=5)
    assert "`drstream list`" in unprinted.err
    watched = drs.run("push", STREAM, "--log-format", "json", "--progress", "always", "--exec", "--", "sh", "-c", script)
    assert re.search('"message":"push [0-9]', watched.err)
    nothing = drs.run("--log-format", "json", expect=2)
    for said in (outcome, failed, pushed, clear, unprinted, watched, nothing):
        assert said.err and all(line.startswith("{") for line in said.err.splitlines()), said.err
        world.answers.keep(said.err.encode())


def messages(count):
    return [Message(b"key", b"value %d" % number) for number in range(count)]


def archive_topics(world):
    drs, client = world.repository("topics"), world.kafka.client()
    topic, group = (f"schemas-{kind}-{time.monotonic_ns()}" for kind in ("topic", "group"))

    def ask(*arguments, **options):
        return world.ask(drs, "kafka", *arguments, "--bootstrap", world.kafka.bootstrap, **options)

    client.create_topic(topic, configs={"retention.ms": "-1"})
    client.produce(topic, 0, messages(20))
    client.produce_transaction(topic, 0, messages(2), commit=False)
    client.commit_group(group, {(topic, 0): 4})
    archive = ["archive", "kafka/all", "--topics", topic]
    ask(*archive, "--dry-run")
    ask(*archive)
    client.delete_records(topic, 0, 5)
    client.produce(topic, 0, messages(20))
    ask(*archive, "--dry-run")
    ask(*archive, "--history", "all")
    ask("archive", "kafka/all", "--topics", "absent", expect=3)
    world.ask(drs, "show", "kafka/all", "--topic", topic)
    world.ask(drs, "show", "kafka/all")
    world.ask(drs, "list")
    world.ask(drs, "kafka", "cat", "kafka/all", "absent/0", expect=2)
    printed = drs.run("kafka", "cat", "kafka/all", f"{topic}/0", "--json").out  # records, not one document
    assert len(printed.splitlines()) == 40
    world.answers.exits["kafka cat"].add(0)
    restore = ["restore", "kafka/all", "--rename", "{topic}.new"]
    ask(*restore, "--dry-run")
    reader, writer = os.pipe()
    with open(reader, "rb") as lines:
        ask(*restore, "--rate-limit", "300", "--progress-fd", writer, pass_fds=[writer])
        os.close(writer)
        world.answers.keep(lines.read())
    ask(*restore, "--dry-run", expect=2)
    ask(*restore, expect=2)
    compare = ["compare", "kafka/all", "--rename", "{topic}.new"]
    ask(*compare)
    client.produce(f"{topic}.new", 0, messages(1))
    ask(*compare)
    client.delete_records(f"{topic}.new", 0, 3)
    ask(*compare, expect=8)
    offsets = ["offsets", "kafka/all", "--rename", "{topic}.new", "--groups", group]
    client.commit_group(group, {(f"{topic}.new", 0): 7}, "metadata")
    undo = world.folder / "undo.json"
    ask(*offsets, "--plan")
    ask(*offsets, "--apply", undo)
    world.answers.keep(undo.read_bytes())
    ask(*offsets, "--undo", undo)
    ask(*offsets, "--undo", world.folder / "absent.json", expect=2)
    world.ask(drs, "policy", "kafka", "--role", "restore")
    world.ask(drs, "policy", "kafka", "--role", "absent", expect=2)


def test_each_document_is_as_its_schema_says(answers):
    for document in answers.documents:
        assert_valid(document)


def test_no_schema_and_no_field_of_one_is_without_a_document(answers):
    names = {schema_name(document) for document in answers.documents}
    assert names == set(DOCUMENTS)
    used = {id(field) for document in answers.documents
            for field in used_fields(document, SCHEMAS[schema_name(document)], schema_name(document))}
    unused = {place for name, schema in SCHEMAS.items()
              for place, field in declared_fields(schema, name) if id(field) not in used}
    assert unused == set(UNUSED)


def test_every_command_was_asked_and_has_failed_as_well(answers):
    commands = set(re.findall(r"^### drstream (.+)$", (ROOT / "docs/REFERENCE.md").read_text(), re.M)) - TEXT_ALONE
    leaves = {command for command in commands if not any(other.startswith(command + " ") for other in commands)}
    leaves -= {command.split()[0] for command in TEXT_ALONE}
    assert leaves <= set(answers.exits)
    for command in sorted(leaves):
        assert 0 in answers.exits[command] and answers.exits[command] != {0}, command


@pytest.mark.parametrize("spoil", [{"extra": 1}, {"bytes": "1"}, {"bytes": None}, {"schema": "drstream.unknown/1"}])
def test_a_document_that_is_not_as_its_schema_says_is_found(answers, spoil):
    document = next(document for document in answers.documents if schema_name(document) == "push")
    printed = json.dumps({**document, **spoil}, indent=2).encode()
    check_printed(["push", STREAM], printed)
    with pytest.raises(AssertionError):
        check_printed(["--json", "push", STREAM], printed)
