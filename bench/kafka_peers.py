"""The peers of bench/kafka. Each archives or copies a topic, and says why it cannot run where it cannot."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import measure
from measure import Run, cpu_seconds, folder_bytes

sys.path.insert(0, str(measure.ROOT / "tests"))
from services.cache import Unavailable, install_once, run_installer  # noqa: E402
from services.kafka import VERSION, KafkaServer, install_pinned  # noqa: E402
from services.kafka_client import load  # noqa: E402
from services.server_process import ServerProcess  # noqa: E402

MIRROR_JARS = measure.ROOT / "bench" / "mirror_jars.txt"  # connect-mirror and all that it needs
WRAPPER = measure.ROOT / "bench" / "kafka-backup-peer"
POLL_SECONDS = 0.1
COPIED_WITHIN_SECONDS = 900
# Compiled in full, unlike the brokers of the tests, which live for seconds.
FULL_SPEED = ["-XX:TieredStopAtLevel=4"]
# Tests want compaction and retention to take effect at once; here that would be work of the broker.
BROKER_SETTINGS = {
    "log.retention.check.interval.ms": 300_000, "log.initial.task.delay.ms": 30_000, "log.cleaner.backoff.ms": 15_000,
}  # fmt: skip


def broker(folder):
    """One broker for a benchmark."""
    from services.kafka import install

    options = [f"-XX:SharedArchiveFile={install()}", *FULL_SPEED]
    return KafkaServer(folder, settings=BROKER_SETTINGS, java_options=options)


def program(name, package):
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"no {name}: install {package}")
    return found


class Peer:
    """A tool that reads a topic. `archive` returns a Run, and how many bytes the tool stored."""

    name = ""
    remarks = ""

    def __init__(self):
        self.version = self.install()

    def install(self):
        """Its version. Raises Unavailable."""
        raise NotImplementedError

    def archive(self, bench, topic, records):
        raise NotImplementedError

    def noticed(self):
        """What its runs have shown, for the page."""
        return ""


class KcatPush(Peer):
    name = "kcat and push"
    remarks = r"`kcat -C -e -J -t TOPIC \| drstream push`: JSON lines; no nulls, configurations, offsets of groups"

    def install(self):
        program("kcat", "kcat")
        return run_installer("dpkg-query", "--show", "kcat").replace("\t", " ").strip()

    def archive(self, bench, topic, records):
        repository = bench.repository()
        line = f"kcat -C -b {bench.bootstrap} -t {topic} -o beginning -e -q -J | {bench.drstream} push kcat --quiet"
        run = measure.run(line, repository.environment, sync=repository.folder)
        return run, repository.bytes()


class MirrorMaker(Peer):
    name = "MirrorMaker 2"
    remarks = ("a process of its own, 8 tasks, copies the topic to a second broker: no archive; seconds from its start to "
               "the last record")  # fmt: skip

    def install(self):
        self.jars = install_pinned(f"kafka-mirror-{VERSION}", MIRROR_JARS)
        self.seconds_to_first = []
        return f"connect-mirror {VERSION}"

    def archive(self, bench, topic, records):
        folder = bench.new_folder("mirror")
        with broker(folder / "target") as target:
            (folder / "mirror.properties").write_text(self.settings(bench.bootstrap, target.bootstrap, topic))
            (folder / "log4j.properties").write_text("log4j.rootLogger=ERROR, stderr\n"
                                                     "log4j.appender.stderr=org.apache.log4j.ConsoleAppender\n"
                                                     "log4j.appender.stderr.layout=org.apache.log4j.SimpleLayout\n")
            command = [program("java", "openjdk-17-jre-headless"), "-Xmx2g",
                       f"-Dlog4j.configuration=file:{folder}/log4j.properties", "-cp", f"{self.jars}/*",
                       "org.apache.kafka.connect.mirror.MirrorMaker", folder / "mirror.properties"]  # fmt: skip
            own = folder / "own"
            own.mkdir()
            began = time.monotonic()
            with ServerProcess(command, own, lambda: True) as maker:
                self.wait(maker, target.client(), f"source.{topic}", records)
                wall = time.monotonic() - began
                process = maker.process.pid
                memory = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if "VmHWM" in line]
                target_cpu = cpu_seconds(target.brokers[0].process.pid)
                run = Run(wall, cpu_seconds(process) + target_cpu, int(memory[0].split()[1]) * 1024)
            logs = (folder / "target").glob(f"1/data/source.{topic}-*/*.log")
            stored = sum(log.stat().st_size for log in logs)
        shutil.rmtree(folder)
        return run, stored

    def wait(self, maker, client, topic, records):
        began = time.monotonic()
        partitions, copied = 0, 0
        while copied < records:
            time.sleep(POLL_SECONDS)
            if maker.process.poll() is not None or time.monotonic() > began + COPIED_WITHIN_SECONDS:
                raise measure.Failed(f"MirrorMaker 2: {maker.log.read_text(errors='replace')[-2000:]}")
            partitions = partitions or client.topics().get(topic, 0)
            try:
                before, copied = copied, sum(client.ends(topic, i)[1] for i in range(partitions))
            except load().KafkaException:  # a new topic has no leaders yet
                continue
            if before == 0 and copied > 0:
                self.seconds_to_first.append(time.monotonic() - began)

    def noticed(self):
        return f"; the first record came after {measure.spread(self.seconds_to_first)} s"

    @staticmethod
    def settings(source, target, topic):
        internal = "".join(
            f"{name}.replication.factor=1\n"
            for name in ("checkpoints.topic", "heartbeats.topic", "offset-syncs.topic", "offset.storage", "status.storage",
                         "config.storage")
        )  # fmt: skip
        return (f"clusters=source, target\nsource.bootstrap.servers={source}\ntarget.bootstrap.servers={target}\n"
                f"source->target.enabled=true\nsource->target.topics={topic}\ntarget->source.enabled=false\n"
                "tasks.max=8\nreplication.factor=1\nemit.heartbeats.enabled=false\nemit.checkpoints.enabled=false\n"
                "sync.topic.acls.enabled=false\nsource.consumer.auto.offset.reset=earliest\n"
                f"target.producer.compression.type=zstd\n{internal}")  # fmt: skip


class KafkaBackupCore(Peer):
    name = "kafka-backup-core"
    remarks = ("crates.io, defaults, zstd 1: no encryption, no decoding back; fsync; it adds two headers to each "
               "record")  # fmt: skip

    def install(self):
        lines = (WRAPPER / "Cargo.toml").read_text(encoding="utf-8").splitlines()
        [version] = [line.split('"')[1].lstrip("=") for line in lines if line.startswith("kafka-backup-core")]

        def make(folder):
            source = shutil.copytree(WRAPPER, folder / "source")
            run_installer(program("cargo", "cargo"), "build", "--release", "--quiet", "--manifest-path",
                          source / "Cargo.toml",
                          CARGO_BUILD_JOBS=os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", os.cpu_count()))  # fmt: skip
            shutil.move(source / "target/release/kafka-backup-peer", folder / "kafka-backup-peer")
            shutil.rmtree(source)

        self.program = install_once(f"kafka-backup-core-{version}", make) / "kafka-backup-peer"
        return f"kafka-backup-core {version}"

    def run(self, bench, folder, mode, side, options):
        config = {
            "mode": mode, "backup_id": "bench", "storage": {"backend": "filesystem", "path": str(folder / "stored")},
            side: {"bootstrap_servers": [bench.bootstrap], "topics": {"include": [bench.topic]}},
            "offset_storage": {"db_path": str(folder / "offsets.db")}, mode: options,
        }  # fmt: skip
        # JSON is YAML.
        (folder / f"{mode}.yaml").write_text(json.dumps(config))
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        return measure.run(f"cd {folder} && {self.program} {mode}.yaml >&2", environment, sync=folder)

    def archive(self, bench, topic, records):
        folder = bench.new_folder("kafka-backup-core")
        run = self.run(bench, folder, "backup", "source", {"compression": "zstd", "compression_level": 1,
                                                           "stop_at_current_offsets": True})  # fmt: skip
        stored = folder_bytes(folder / "stored")
        shutil.rmtree(folder)
        return run, stored


PEERS = (KcatPush, MirrorMaker, KafkaBackupCore)
