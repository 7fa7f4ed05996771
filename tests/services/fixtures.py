"""Fixtures of the services. All tests of a run share one server of each kind, so each test must create its own buckets
and topics.

Tests that kill a server, or need a separate one, use its class: `with Minio(tmp_path / "minio") as minio:`.
"""

from contextlib import contextmanager

import pytest

from services.cache import Unavailable
from services.certificates import make_certificates, make_client_certificates
from services.fake_gcs import FakeGcs
from services.fault_proxy import FaultProxy
from services.google_login import GoogleLogin
from services.kafka import VERSION_4, KafkaServer
from services.kafka_security import Security
from services.metadata_server import MetadataServer
from services.minio import Minio
from services.moto_server import MotoServer
from services.seaweedfs import SeaweedFs
from services.toxiproxy import Toxiproxy
from services.versitygw import Versitygw


@pytest.fixture(scope="session")
def provide(request, missing, tmp_path_factory):
    """provide(Service, ...): a context manager of a running service in its own folder; else calls `missing`."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    @contextmanager
    def provided(service, *arguments, **options):
        try:
            with capture.global_and_fixture_disabled():  # shows the progress of an installation that takes minutes
                server = service(tmp_path_factory.mktemp(service.__name__.lower()) / "server", *arguments, **options)
            server.start()
        except Unavailable as problem:
            missing(f"{service.__name__}: {problem}")
        try:
            yield server
        finally:
            server.stop()

    return provided


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A private CA and a certificate for localhost; see Certificates."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def kafka_security(certificates, tmp_path_factory):
    """All that the tests' Kafka server with users demands: alice has a password, bob a certificate, or both a token."""
    bob = make_client_certificates(tmp_path_factory.mktemp("bob"), "bob")
    return Security(certificates, bob, users={"alice": "alice-secret"}, tokens=True, acls=True)


def one_for_all(service, *needs, **options):
    """A fixture of one running `service` for all tests of a run; `needs`: fixtures passed to its constructor."""

    def serve(request, provide):
        with provide(service, *map(request.getfixturevalue, needs), **options) as server:
            yield server

    return pytest.fixture(scope="session")(serve)


minio = one_for_all(Minio)
minio_tls = one_for_all(Minio, "certificates")
versitygw = one_for_all(Versitygw)
versitygw_tls = one_for_all(Versitygw, "certificates")
seaweedfs = one_for_all(SeaweedFs)  # its build takes many minutes: only for the campaigns
seaweedfs_tls = one_for_all(SeaweedFs, "certificates")
fake_gcs = one_for_all(FakeGcs)
fake_gcs_tls = one_for_all(FakeGcs, "certificates")
moto_server = one_for_all(MotoServer)
kafka_3 = one_for_all(KafkaServer)
kafka_4 = one_for_all(KafkaServer, version=VERSION_4)
kafka_secured = one_for_all(KafkaServer, "kafka_security")
toxiproxy = one_for_all(Toxiproxy)  # toxiproxy.proxy(port): a context manager of a ToxicProxy in front of that port


@pytest.fixture(scope="session")
def kafka(request):
    """A KafkaServer: `kafka_3`, and in campaigns also `kafka_4` for tests that are marked every_kafka."""
    return request.getfixturevalue(getattr(request, "param", "kafka_3"))


@pytest.fixture
def fault_proxy():
    """fault_proxy(server): a FaultProxy in front of anything that has an `endpoint` and a `ca_file`."""
    proxies = []

    def start(server, certificates=None):
        proxy = FaultProxy(server.endpoint, server.ca_file, certificates)
        proxies.append(proxy)
        return proxy.__enter__()

    yield start
    for proxy in proxies:
        proxy.__exit__()


@pytest.fixture
def google_login():
    with GoogleLogin() as server:
        yield server


@pytest.fixture
def metadata_server():
    with MetadataServer() as server:
        yield server
