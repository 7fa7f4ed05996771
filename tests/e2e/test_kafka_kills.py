"""SIGKILL of archives of topics, of restores, and of the broker. An archive is absent, or whole, or partial and says
so; the next one completes. A restore that is resumed ends with the very records, none of them twice.

Five of each kind in every build, a hundred by `scripts/campaign`. The moments are spread over what an undisturbed run
takes.
"""

import os
import signal
import subprocess
import time

import pytest
from campaign_support import kill_after
from kafka_archives import Archives, await_configs, content
from kafka_filler import fill_topic
from services.kafka import KafkaServer
from services.kafka_client import Message, wait_for
from test_kafka_archive import topic  # noqa: F401

TRIALS = 100 if os.environ.get("DRSTREAM_TEST_FULL") == "1" else 5
ENOUGH_TRIALS = 5  # of which one must have hit a running command
PARTITIONS = 3
KEPT_MS = 315_360_000_000  # ten years
LONG_AGO_MS = 1_650_000_000_000
# So that a kill meets an archive that reads.
SLOWLY = ["--threads", "1", "--memory", "256MiB", "--compression", "zstd:15"]
# The cluster is not there while topics are looked up or created: nothing waits for it, the command can be repeated.
AWAY = {"archive": (3, 6), "restore": (8,)}
TWICE = "twice"


@pytest.fixture(scope="module")
def fragile_kafka(provide):
    """A broker that may be killed."""
    with provide(KafkaServer) as server:
        yield server


def records(dice, count, value_bytes, first_ms):
    """Records that do not compress."""
    return [Message(b"%d" % n, dice.randbytes(value_bytes), (("n", b"%d" % n),), first_ms + n) for n in range(count)]


def now_ms():
    return int(time.time() * 1000)


class ArchiveTrials:
    """Archives of a growing topic, and what is known of them."""

    def __init__(self, archives, topic, dice):
        self.archives = archives
        self.topic = topic
        self.dice = dice
        self.produced = 0
        self.ids = set()
        self.outcomes = {"absent": 0, "partial": 0, "whole": 0}
        archives.client.create_topic(topic, PARTITIONS)
        self.grow()
        started = time.monotonic()
        self.archive()
        self.seconds = time.monotonic() - started  # of one that reads as much as each later one

    def grow(self, count=20_000):
        fill_topic(self.archives.kafka, self.topic, PARTITIONS, count, ("lz4",), seed=self.dice.randrange(10**6))
        self.produced += count

    def words(self, *options):
        return self.archives.arguments("archive", "prod", "--topics", self.topic, *SLOWLY, *options)

    def archive(self):
        """One that is not disturbed."""
        report = self.archives.archive("prod", "--topics", self.topic, *SLOWLY)
        assert report["complete"] and report["records"] == self.produced
        self.ids.add(report["id"])

    def take_stock(self):
        """After an archive that may have died: all that was there is there; a new one is what it says."""
        listed = {snapshot["id"]: snapshot for snapshot in self.archives.drs.snapshots()}
        assert self.ids <= set(listed), "an archive is lost"
        fresh = set(listed) - self.ids
        assert len(fresh) <= 1, fresh
        self.archives.drs.run("verify")
        for snapshot in fresh:
            held = self.compare(snapshot)
            if "partial" in listed[snapshot]["tags"]:
                assert not listed[snapshot]["producer"]["seen"] and held <= self.produced
            else:
                assert listed[snapshot]["producer"]["seen"] and held == self.produced
            self.outcomes["partial" if "partial" in listed[snapshot]["tags"] else "whole"] += 1
        self.outcomes["absent"] += not fresh
        self.ids |= fresh

    def compare(self, snapshot):
        """The number of records of an archive, each of which the source holds."""
        words = self.archives.arguments("compare", snapshot, "--records")
        report = self.archives.drs.json(*words)
        assert report["equal"] and report["records"] + report["extra_records"] == self.produced
        return report["records"]

    def prove(self):
        self.archive()
        self.archives.drs.run("verify", "--read-data")
        for snapshot in self.dice.sample(sorted(self.ids), min(3, len(self.ids))):
            self.compare(snapshot)
        assert self.compare("prod@latest") == self.produced
        print(self.outcomes)


def test_a_killed_archive_is_absent_partial_or_whole_and_the_next_one_completes(drs, kafka, topic, dice, share):
    trials = ArchiveTrials(Archives(drs, kafka), topic, dice)
    killed = 0
    mine = share(range(TRIALS))
    for trial in mine:
        trials.grow()
        options = ["--budget", "2MiB"] if trial % 3 == 1 else []
        code, _ = kill_after(drs, dice.uniform(0, trials.seconds), *trials.words(*options), stdin=subprocess.DEVNULL)
        assert code in (0, -signal.SIGKILL)
        killed += code == -signal.SIGKILL
        trials.take_stock()
    print(f"{killed} of {len(mine)} archives were killed")
    assert killed > 0 or len(mine) < ENOUGH_TRIALS
    trials.prove()


class RestoreTrials:
    """Restores of one archive under many names."""

    def __init__(self, archives, topic, dice, first_ms=None, count=2500):
        self.archives = archives
        self.topic = topic
        self.dice = dice
        self.count = count * PARTITIONS
        client = archives.client
        client.create_topic(topic, PARTITIONS, configs={"retention.ms": KEPT_MS, "segment.ms": 3_600_000})
        for number in range(PARTITIONS):
            client.produce(topic, number, records(dice, count, 300, first_ms or now_ms()), compression_codec="lz4")
        self.expected = [content(client, topic, number) for number in range(PARTITIONS)]
        self.configs = client.describe_configs(topic, own=True)
        report = archives.archive(topic, "--topics", topic)
        assert report["records"] == self.count
        self.slowly = ["--rate-limit", report["read_payload_bytes"]]  # a second: so that a kill meets one that writes
        started = time.monotonic()
        self.restore("whole", *self.slowly)
        self.seconds = time.monotonic() - started
        self.settle("whole")

    def name(self, name):
        return f"{self.topic}.{name}"

    def words(self, name, *options):
        return self.archives.arguments("restore", self.topic, "--rename", f"{self.topic}={self.name(name)}", *options)

    def slow_words(self, name, *options):
        return self.words(name, *self.slowly, *options)

    def restore(self, name, *options):
        report = self.archives.drs.json(*self.words(name, *options))
        assert report["proven"] and report["records"] + report["topics"][0]["records_there"] == self.count
        return report

    def there(self, name):
        return self.name(name) in self.archives.client.topics()

    def settle(self, name):
        """The restored topic is the archived one, and goes."""
        target = self.name(name)
        words = self.archives.arguments("compare", self.topic, "--rename", f"{self.topic}={target}", "--records")
        report = self.archives.drs.json(*words)
        assert report["equal"] and (report["records"], report["extra_records"]) == (self.count, 0)
        found = [content(self.archives.client, target, number) for number in range(PARTITIONS)]
        assert [len(records) for records in found] == [len(records) for records in self.expected]
        assert found == self.expected
        await_configs(self.archives.client, target, self.configs)
        self.archives.client.delete_topic(target)


def test_a_killed_restore_that_is_resumed_holds_each_record_once(drs, kafka, topic, dice, share):
    trials = RestoreTrials(Archives(drs, kafka), topic, dice)
    killed = resumed = 0
    mine = share(range(TRIALS))
    for trial in mine:
        for attempt in range(dice.choice((1, 1, 2))):  # the resumed one may be killed, too
            words = trials.slow_words(trial, *(["--resume"] if attempt else []))
            code, _ = kill_after(drs, dice.uniform(0, trials.seconds), *words, stdin=subprocess.DEVNULL)
            assert code in (0, -signal.SIGKILL)
            killed += code == -signal.SIGKILL
        there = trials.restore(trial, "--resume")["topics"][0]["records_there"]
        resumed += 0 < there < trials.count
        trials.settle(trial)
    print(f"{killed} kills, {resumed} of {len(mine)} restores went on with a part of the records")
    assert killed > 0 or len(mine) < ENOUGH_TRIALS


def test_a_restore_that_is_killed_while_the_broker_stands_still_holds_each_record_once(
        drs, fragile_kafka, topic, dice, share):
    trials = RestoreTrials(Archives(drs, fragile_kafka), topic, dice)
    kept = []
    for trial in share(range(TRIALS)):
        process = drs.start(*trials.slow_words(trial))
        wait_for(lambda name=trial: trials.there(name), "the restore has not created its topic")
        time.sleep(dice.uniform(0, trials.seconds / 2))
        fragile_kafka.pause()
        try:
            time.sleep(dice.uniform(0, 0.3))  # what is sent now waits in the broker's sockets
            process.kill()
            process.communicate()
            # It finds the broker standing, or at once answers what waited.
            early = dice.random() < 0.5
            again = drs.start("--json", *trials.words(trial, "--resume")) if early else None
            time.sleep(dice.uniform(0, 1) if early else 0)
        finally:
            fragile_kafka.unpause()
        if again is not None:
            out, error = again.communicate(timeout=drs.timeout_seconds)
            # A broker that stands still for long is not waited for at the first contact.
            assert again.returncode in (0, *AWAY["restore"]) and TWICE not in error.decode(), f"{out}{error}"
        kept.append(trials.restore(trial, "--resume")["topics"][0]["records_there"])
        trials.settle(trial)
    print(f"records that were there: {kept}")


def test_an_archive_whose_broker_is_killed_waits_for_it(drs, fragile_kafka, topic, dice, share):
    trials = ArchiveTrials(Archives(drs, fragile_kafka), topic, dice)
    codes = []
    for _ in share(range(0, TRIALS, 2)):
        trials.grow()
        code, _ = run_with_killed_broker(fragile_kafka, drs, dice.uniform(0, trials.seconds), *trials.words())
        codes.append(code)
        assert codes[-1] == 0 or codes[-1] in AWAY["archive"]
        trials.take_stock()
    print(f"exit codes: {codes}")
    trials.prove()


def test_a_signal_commits_what_was_read_though_the_broker_is_gone(drs, fragile_kafka, topic, dice):
    trials = ArchiveTrials(Archives(drs, fragile_kafka), topic, dice)
    trials.grow(200_000)
    process = drs.start(*trials.words())
    time.sleep(trials.seconds)  # of ten times as many records
    fragile_kafka.kill()
    time.sleep(3)
    process.terminate()
    started = time.monotonic()
    _, error = process.communicate(timeout=drs.timeout_seconds)
    seconds = time.monotonic() - started
    fragile_kafka.start()
    assert process.returncode == 128 + signal.SIGTERM, error
    assert seconds < 20
    trials.take_stock()
    assert trials.outcomes["partial"] == 1
    trials.prove()


@pytest.mark.parametrize("age", ["recent", "old"])
def test_a_restore_whose_broker_is_killed_holds_each_record_once(drs, fragile_kafka, topic, dice, share, age):
    """A broker forgets the producers of old records when it restarts: such a restore may find a batch twice, and then
    must say so."""
    trials = RestoreTrials(Archives(drs, fragile_kafka), topic, dice, LONG_AGO_MS if age == "old" else None)
    codes = []
    for trial in share(range(1 if age == "recent" else 3, TRIALS, 4)):
        seconds = dice.uniform(0, trials.seconds)
        code, said = run_with_killed_broker(fragile_kafka, drs, seconds, *trials.slow_words(trial))
        codes.append(code)
        assert code == 0 or code in AWAY["restore"]
        if code != 0 and TWICE in said:
            assert age == "old"
            trials.archives.client.delete_topic(trials.name(trial))
        trials.restore(trial, "--resume")
        trials.settle(trial)
    print(f"exit codes: {codes}")


def run_with_killed_broker(kafka, drs, seconds, *words):
    """The exit code of a command whose broker is killed after so long, and returns; and what it said."""
    process = drs.start(*words)
    time.sleep(seconds)
    kafka.kill()
    kafka.start()
    out, error = process.communicate(timeout=drs.timeout_seconds)
    said = (out + error).decode()
    print(f"broker killed after {seconds:.2f} s: exit {process.returncode} {said[-300:]}")
    return process.returncode, said
