"""What the tests of the whole command share: the binary, and repositories of their own.

    DRSTREAM_BINARY=PATH   the command; else $DRSTREAM_BUILD/tools/drstream, else build/release/tools/drstream
    DRSTREAM_TEST_FULL=1   every byte of every object instead of a sample, 20 sizes of a full disk
    DRSTREAM_TEST_STORE=local|s3|s3-https|versitygw|seaweedfs   only the tests of `drs`, `new_repository` and
                           `make_repository`, with repositories in a folder, in MinIO over HTTP or HTTPS, in versitygw,
                           or in SeaweedFS

A run that names no store has repositories in folders.

Tests find and damage objects with the methods of Repository, so that they run on every store. Two marks say otherwise:

    local_only("why")      not on other stores
    every_store            on each store, where none is chosen; versitygw and SeaweedFS only with DRSTREAM_TEST_FULL=1

A fixture that builds on one of those three needs a name of its own; else pytest does not see that there is a store.

Tests of `kafka` that are marked every_kafka run with DRSTREAM_TEST_FULL=1 also with a newer librdkafka.
"""

import functools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gcs_repository import GcsRepository
from repository import Repository
from s3_repository import S3Repository
from services.kafka_client import library_path

ROOT = Path(__file__).resolve().parents[2]

# And the fixture of its server.
STORES = {"local": None, "s3": "minio", "s3-https": "minio_tls", "versitygw": "versitygw", "seaweedfs": "seaweedfs"}
FURTHER_STORES = ("versitygw", "seaweedfs")  # test_s3_servers.py is for them
LIBRDKAFKAS = ("linked_librdkafka", "newer_librdkafka")
FULL = os.environ.get("DRSTREAM_TEST_FULL") == "1"
CHOSEN_STORE = os.environ.get("DRSTREAM_TEST_STORE")


def pytest_configure(config):
    config.addinivalue_line("markers", "local_only(why): the test needs a repository in local files")
    config.addinivalue_line("markers", "every_store: the test runs on each store, where none is chosen")
    if CHOSEN_STORE not in (None, *STORES):
        raise pytest.UsageError(f"DRSTREAM_TEST_STORE={CHOSEN_STORE}: use one of {', '.join(STORES)}")


def pytest_generate_tests(metafunc):
    if CHOSEN_STORE is None and metafunc.definition.get_closest_marker("every_store"):
        stores = [store for store in STORES if FULL or store not in FURTHER_STORES]
        metafunc.parametrize("store", stores, indirect=True, scope="module")
    if FULL and "kafka" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_kafka"):
        metafunc.parametrize("librdkafka", LIBRDKAFKAS, indirect=True)


def pytest_collection_modifyitems(config, items):
    if CHOSEN_STORE is None:
        return
    local = CHOSEN_STORE == "local"
    here = [item for item in items
            if "store" in item.fixturenames and (local or not item.get_closest_marker("local_only"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in here])
    items[:] = here


@pytest.fixture(scope="session")
def binary():
    build = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release"))
    path = Path(os.environ.get("DRSTREAM_BINARY", build / "tools/drstream"))
    if not path.exists():
        pytest.fail(f"{path} is not built: scripts/build release, or set DRSTREAM_BINARY")
    return path.resolve()


@pytest.fixture(scope="session")
def full_run():
    return FULL


@pytest.fixture(autouse=True)
def librdkafka(request, monkeypatch):
    """A name in LIBRDKAFKAS: the library that drstream was linked with, or that of the tests' client."""
    chosen = getattr(request, "param", "linked_librdkafka")
    if chosen == "newer_librdkafka":
        monkeypatch.setenv("LD_LIBRARY_PATH", str(library_path().parent))
    return chosen


@pytest.fixture
def new_folder(tmp_path):
    """new_folder(name): an empty folder of the test."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        return folder

    return make


@pytest.fixture(scope="module")
def store(request):
    """A name in STORES."""
    return getattr(request, "param", CHOSEN_STORE or "local")


@pytest.fixture(scope="module")
def make_repository(request, binary, store):
    """make_repository(folder, ...): a repository that is not made yet, in this store; its heads and cache in `folder`."""
    if store == "local":
        return functools.partial(Repository, binary)
    server = request.getfixturevalue(STORES[store])

    def make(folder, **options):
        return S3Repository(binary, folder, server.client(), server.new_bucket(), **options)

    return make


@pytest.fixture
def new_repository(make_repository, new_folder):
    """new_repository(name, ...): a repository that is not made yet, with a folder of its own."""

    def make(name="repository", **options):
        return make_repository(new_folder(name), **options)

    return make


@pytest.fixture
def drs(new_repository):
    """An encrypted, empty repository."""
    repository = new_repository()
    repository.run("init")
    return repository


@pytest.fixture
def new_s3_repository(binary, new_folder):
    """new_s3_repository(server, name, ...): an S3Repository that is not made yet, in a new bucket of a Minio."""

    def make(server, name="repository", client=None, bucket=None, **options):
        bucket = bucket or server.new_bucket()
        return S3Repository(binary, new_folder(name), client or server.client(), bucket, **options)

    return make


@pytest.fixture(params=["http", "https"])
def s3(request, new_s3_repository):
    """An encrypted, empty repository in a bucket of MinIO."""
    server = request.getfixturevalue("minio" if request.param == "http" else "minio_tls")
    repository = new_s3_repository(server)
    repository.run("init")
    return repository


@pytest.fixture
def new_gcs_repository(binary, new_folder):
    """new_gcs_repository(server, name, ...): a GcsRepository that is not made yet, in a new bucket of a FakeGcs."""

    def make(server, name="repository", bucket=None, **options):
        return GcsRepository(binary, new_folder(name), server, bucket or server.new_bucket(), **options)

    return make


@pytest.fixture(params=["http", "https"])
def gcs(request, new_gcs_repository):
    """An encrypted, empty repository in a bucket of fake-gcs-server."""
    server = request.getfixturevalue("fake_gcs" if request.param == "http" else "fake_gcs_tls")
    repository = new_gcs_repository(server)
    repository.run("init")
    return repository


@pytest.fixture
def public_folder():
    """A folder that every user may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="drstream-e2e-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
