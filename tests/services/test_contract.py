"""What every ObjectStore promises (tests/sinks/object_store_contract_test.cc), of S3 on a real server.

    DRSTREAM_BUILD=FOLDER   the build whose tests are run; else build/release
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_s3_keeps_the_promises_of_an_object_store(minio):
    program = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release")) / "tests/sinks/drs_sinks_test"
    if not program.exists():
        pytest.fail(f"{program} is not built: scripts/build release, or set DRSTREAM_BUILD")
    environment = {
        **os.environ,
        "DRSTREAM_TEST_S3": f"s3://{minio.new_bucket()}",
        "AWS_ENDPOINT_URL_S3": minio.endpoint,
        "AWS_ACCESS_KEY_ID": minio.access_key,
        "AWS_SECRET_ACCESS_KEY": minio.secret_key,
    }
    ran = subprocess.run([program, "--gtest_filter=*ObjectStoreContract.*/S3"], env=environment, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-4000:]
    passed = re.search(r"\[  PASSED  \] (\d+) tests", ran.stdout)
    assert passed and int(passed[1]) > 15, ran.stdout[-1000:]
