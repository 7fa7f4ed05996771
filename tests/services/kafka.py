"""Apache Kafka, started from its jars: a broker or several, each of them a controller too (KRaft)."""

import base64
import hashlib
import os
import re
import shutil
import signal
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.cache import Unavailable, install_once, run_installer
from services.kafka_client import KafkaClient, wait_for
from services.kafka_security import Security
from services.server_process import ServerProcess, free_port

VERSION = "3.9.1"  # where none is named
VERSION_4 = "4.4.0"
COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
RECORD_SECONDS = 120
STARTED = b"Kafka Server started"
LOG4J = """\
log4j.rootLogger=WARN, stderr
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=%d %p %m (%c)%n
"""
LOG4J_2 = """\
rootLogger = WARN, stderr
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = INFO
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %m (%c)%n
"""


@dataclass(frozen=True)
class Release:
    """How the versions of Kafka differ, as far as tests see it."""

    jars: str  # the file with what a broker loads, each with its SHA-256
    tool_jars: str | None  # the file with what Kafka's other programs load besides, if that is not in the first
    logging: str
    logging_option: str  # of Java, followed by the URL of a file
    log_dumper: str  # the class
    segment_bytes: str  # the setting of a topic that may be small


RELEASES = {
    VERSION: Release("kafka_jars.txt", "kafka_tool_jars.txt", LOG4J, "-Dlog4j.configuration=",
                     "kafka.tools.DumpLogSegments", "segment.bytes"),
    VERSION_4: Release("kafka_4_jars.txt", None, LOG4J_2, "-Dlog4j2.configurationFile=",
                       "org.apache.kafka.tools.DumpLogSegments", "internal.segment.bytes"),
}


@cache
def install():
    """An archive of the classes that a broker loads from Kafka's jars: with it, a start takes half the time."""
    install_jars()
    install_tool_jars()

    def record(folder):
        with tempfile.TemporaryDirectory() as data:
            with KafkaServer(Path(data), java_options=[f"-XX:ArchiveClassesAtExit={folder / 'classes.jsa'}"]) as server:
                process = server.brokers[0].process
                process.terminate()
                process.wait(RECORD_SECONDS)

    # Apart from the jars, since Java compares their paths with those in the archive. It silently ignores one of another
    # Java, so each has its own.
    build = re.search(r"build ([^,)]+)", run_installer(_java(), "--version"))[1]
    return install_once(f"kafka-{VERSION}-classes-{build}", record) / "classes.jsa"


def install_jars(version=VERSION):
    """All that VERSION_4 needs, which has no archive of classes: to record one takes as long as several starts."""
    return install_pinned(f"kafka-{version}", _list(RELEASES[version].jars))


def install_tool_jars(version=VERSION):
    """Apart from the broker's, if that has an archive of classes, which is of exactly those."""
    jars = RELEASES[version].tool_jars
    return install_pinned(f"kafka-tools-{version}", _list(jars)) if jars else install_jars(version)


def _list(name):
    return Path(__file__).with_name(name)


def install_pinned(name, jars):
    """Jars of Maven, listed in the file `jars` with their SHA-256. Returns their folder."""
    pinned = dict(line.split() for line in jars.read_text(encoding="utf-8").splitlines())

    def make(folder):
        project = folder / "pom.xml"
        project.write_text(_project(pinned), encoding="utf-8")
        run_installer(_program("mvn", "maven"), "--batch-mode", "--quiet", "--file", project, COPY_DEPENDENCIES,
                      f"-DoutputDirectory={folder}")
        for coordinates, expected in pinned.items():
            _, artifact, version = coordinates.split(":")
            found = hashlib.sha256((folder / f"{artifact}-{version}.jar").read_bytes()).hexdigest()
            if found != expected:
                raise Unavailable(f"{coordinates} has the SHA-256 {found}, not {expected}")

    return install_once(name, make)


def _project(pinned):
    """A project of Maven that depends on these jars, and on nothing that they in turn depend on."""
    nothing_else = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    dependencies = ""
    for coordinates in pinned:
        group, artifact, version = coordinates.split(":")
        dependencies += (f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                         f"<version>{version}</version>{nothing_else}</dependency>\n")
    return ("<project><modelVersion>4.0.0</modelVersion><groupId>drstream</groupId><artifactId>kafka</artifactId>"
            f"<version>1</version><dependencies>\n{dependencies}</dependencies></project>\n")


def _program(name, package):
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"no {name}: install {package}")
    return found


def _java():
    return _program("java", "openjdk-17-jre-headless")


def java(*options, version=VERSION):
    """The start of a command that runs a class of Kafka."""
    return _java_with(install_jars(version).glob("*.jar"), *options)


def _java_with(jars, *options):
    # A short life: compile quickly, not well.
    return [_java(), "-Xms64m", "-Xmx512m", "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC", *options, "-cp", ":".join(map(str, sorted(jars)))]


def tool(name, *words, version=VERSION):
    """The command that runs a program of Kafka's own, such as "kafka.tools.DumpLogSegments"."""
    jars = {*install_jars(version).glob("*.jar"), *install_tool_jars(version).glob("*.jar")}
    return [*_java_with(jars), name, *map(str, words)]


class Broker(ServerProcess):
    """One process of a server."""

    def __init__(self, folder, command):
        super().__init__(command, folder, self._is_ready)
        self._log_start_bytes = 0

    def launch(self):
        self._log_start_bytes = self.log.stat().st_size if self.log.exists() else 0
        super().launch()

    def _is_ready(self):
        with open(self.log, "rb") as log:
            log.seek(self._log_start_bytes)
            return STARTED in log.read()


class KafkaServer:
    """A context manager: `brokers` brokers with their data in `folder`, where a restart finds it again.

    `settings` are added to those of each broker; `version`: one of RELEASES. Topics must be created, and keep their
    records unless they are told otherwise, whatever their timestamps; Kafka 4 refuses those of more than an hour ahead.
    Segments are looked after all the time, so compaction and retention take effect within a second or two of a
    segment's end.
    """

    def __init__(self, folder, security=None, brokers=1, settings=None, java_options=None, version=VERSION):
        install_jars(version)
        self.security = security or Security()
        self.version = version
        self._release = RELEASES[version]
        self._folder = folder
        if java_options is None:
            java_options = [f"-XX:SharedArchiveFile={install()}"] if version == VERSION else []
        nodes = range(1, brokers + 1)
        names = self.security.listeners()
        self._ports = {node: {name: free_port() for name in (*names, "CONTROLLER")} for node in nodes}
        self.listeners = {  # "host:port,..." of all brokers
            name: ",".join(f"127.0.0.1:{self._ports[node][name]}" for node in nodes) for name in names
        }
        self.bootstrap = self.listeners["PLAINTEXT"]
        cluster_id = base64.urlsafe_b64encode(b"drs" + os.urandom(13)).decode().rstrip("=")
        self.brokers = [self._format(node, folder / str(node), cluster_id, java_options, settings or {})
                        for node in nodes]

    def _format(self, node, folder, cluster_id, options, settings):
        """A broker with a new, empty data folder."""
        folder.mkdir(parents=True)
        logging, properties = folder / "log4j.properties", folder / "server.properties"
        logging.write_text(self._release.logging, encoding="utf-8")
        lines = (self._settings(node, folder) | settings).items()
        properties.write_text("".join(f"{name}={value}\n" for name, value in lines), encoding="utf-8")
        run = java(f"{self._release.logging_option}file:{logging}", *options, version=self.version)
        # An archive of classes is recorded from the broker.
        prepare = [word for word in run if "ArchiveClassesAtExit" not in word]
        users = [f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]"
                 for name, password in self.security.users.items()]
        run_installer(*prepare, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", properties, *users)
        return Broker(folder, [*run, "kafka.Kafka", properties])

    def _settings(self, node, folder):
        listeners = [f"{name}://127.0.0.1:{port}" for name, port in self._ports[node].items()]
        protocols = {"CONTROLLER": "PLAINTEXT", **self.security.listeners()}
        replication = min(len(self._ports), 3)
        return {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.quorum.voters": ",".join(
                f"{other}@127.0.0.1:{ports['CONTROLLER']}" for other, ports in self._ports.items()),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "broker.session.timeout.ms": 3000,  # how soon the others notice that a broker was killed, and it may return
            "broker.heartbeat.interval.ms": 500,
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(word for word in listeners if not word.startswith("CONTROLLER")),
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "log.dirs": folder / "data",
            "auto.create.topics.enable": "false",
            "log.retention.ms": -1,
            "log.retention.check.interval.ms": 500,
            "log.initial.task.delay.ms": 500,
            "log.cleaner.backoff.ms": 200,
            "log.cleaner.dedupe.buffer.size": 16 << 20,
            "log.segment.delete.delay.ms": 1000,
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": replication,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": replication,
            "transaction.state.log.min.isr": 1,
            **self.security.broker_settings(folder),
        }

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts all brokers, or again those that were stopped or killed."""
        launched = [broker for broker in self.brokers if broker.process is None or broker.process.poll() is not None]
        try:
            for broker in launched:
                broker.launch()
            for broker in launched:
                broker.wait_until_ready()
            self._wait_until_each_knows_all()
        except BaseException:
            self.kill()
            raise

    def _wait_until_each_knows_all(self):
        """A broker that is ready may yet answer as if there were fewer, which makes clients drop connections."""
        for address in self.bootstrap.split(","):
            wait_for(lambda where=address: self._knows_all(where), f"{address} does not know all brokers")

    def _knows_all(self, address):
        # A client asks any broker that it has heard of; only the first answer of a new one is of this address.
        return len(KafkaClient({"bootstrap.servers": address}).brokers()) == len(self.brokers)

    def stop(self):
        running = [broker for broker in self.brokers if broker.process and broker.process.poll() is None]
        for broker in running:
            broker.process.terminate()
        for broker in running:
            broker.stop()

    def kill(self):
        """Ends all brokers as a crash does. One of several: `server.brokers[2].kill()`."""
        for broker in self.brokers:
            if broker.process:
                broker.kill()

    def pause(self):
        """Stops all brokers between two instructions: their connections stay open, and nothing is answered."""
        for broker in self.brokers:
            broker.process.send_signal(signal.SIGSTOP)

    def unpause(self):
        for broker in self.brokers:
            broker.process.send_signal(signal.SIGCONT)

    def log_files(self, topic, partition, ending, node=1):
        """The files of a replica in the order of their offsets: its segments ("log"), or lists of aborted transactions
        ("txnindex")."""
        return sorted((self._folder / str(node) / "data" / f"{topic}-{partition}").glob(f"*.{ending}"))

    def log_dumper(self, *words):
        """The command that prints such files."""
        return tool(self._release.log_dumper, *words, version=self.version)

    def client_settings(self, listener="PLAINTEXT", user=None):
        """The settings of librdkafka for a client of this listener; see Security."""
        return {"bootstrap.servers": self.listeners[listener], **self.security.client_settings(listener, user)}

    def client(self, listener="PLAINTEXT", user=None, **settings):
        """A client; further settings of librdkafka with _ for each dot."""
        more = {name.replace("_", "."): value for name, value in settings.items()}
        return KafkaClient(self.client_settings(listener, user) | more, self._release.segment_bytes)
