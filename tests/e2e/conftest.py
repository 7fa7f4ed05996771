"""What the tests of the whole command share: the binary, and repositories of their own.

    DRSTREAM_BINARY=PATH   the command; else $DRSTREAM_BUILD/tools/drstream, else build/release/tools/drstream
    DRSTREAM_TEST_FULL=1   every byte of every object instead of a sample, 20 sizes of a full disk
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gcs_repository import GcsRepository
from repository import Repository
from s3_repository import S3Repository

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary():
    build = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release"))
    path = Path(os.environ.get("DRSTREAM_BINARY", build / "tools/drstream"))
    if not path.exists():
        pytest.fail(f"{path} is not built: scripts/build release, or set DRSTREAM_BINARY")
    return path.resolve()


@pytest.fixture(scope="session")
def full_run():
    return os.environ.get("DRSTREAM_TEST_FULL") == "1"


@pytest.fixture
def new_folder(tmp_path):
    """new_folder(name): an empty folder of the test."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        return folder

    return make


@pytest.fixture
def new_repository(binary, new_folder):
    """new_repository(name, ...): a Repository that is not made yet, in a folder of its own."""

    def make(name="repository", **options):
        return Repository(binary, new_folder(name), **options)

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
