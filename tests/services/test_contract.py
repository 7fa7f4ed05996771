"""The contract of every ObjectStore (tests/sinks/object_store_contract_test.cc), against real servers.

    DRSTREAM_BUILD=FOLDER   the build whose tests are run; default build/release
    DRSTREAM_TEST_FULL=1    also SeaweedFS, whose build takes long
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def s3(server):
    return "S3", {
        "DRSTREAM_TEST_S3": f"s3://{server.new_bucket()}",
        "AWS_ENDPOINT_URL_S3": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
    }


def gcs(server):
    return "Gcs", {"DRSTREAM_TEST_GCS_ENDPOINT": server.endpoint, "DRSTREAM_TEST_GCS_BUCKET": server.new_bucket()}


SERVERS = [(s3, "minio"), (s3, "minio_tls"), (s3, "versitygw"), (s3, "versitygw_tls"), (gcs, "fake_gcs"),
           (gcs, "fake_gcs_tls")]
if os.environ.get("DRSTREAM_TEST_FULL") == "1":
    SERVERS += [(s3, "seaweedfs"), (s3, "seaweedfs_tls")]


@pytest.mark.parametrize("settings, server", SERVERS)
def test_a_server_keeps_the_promises_of_an_object_store(request, settings, server):
    program = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release")) / "tests/sinks/drs_sinks_test"
    if not program.exists():
        pytest.fail(f"{program} is not built: scripts/build release, or set DRSTREAM_BUILD")
    running = request.getfixturevalue(server)
    kind, variables = settings(running)
    environment = {**os.environ, **variables, "DRSTREAM_TEST_CA_FILE": str(running.ca_file or "")}
    ran = subprocess.run([program, f"--gtest_filter=*ObjectStoreContract.*/{kind}"], env=environment, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:]
    passed = re.search(r"\[  PASSED  \] (\d+) tests", ran.stdout)
    assert passed and int(passed[1]) > 15, ran.stdout[-1000:]
