"""Installs what tests/services runs, so that a long build is seen and not taken for a test that hangs.

    PYTHONPATH=tests /usr/bin/python3 -m services.install

Does nothing when all is there. SeaweedFS, whose build is by far the longest, is for the campaigns: only with
DRSTREAM_TEST_FULL=1. What fails is reported; it fails this command if DRSTREAM_TEST_SERVICES=required.
"""

import os
import sys

from services import fake_gcs, minio, moto_server, seaweedfs, toxiproxy, versitygw
from services.cache import Unavailable, say


def main():
    failed = False
    campaign = [seaweedfs] if os.environ.get("DRSTREAM_TEST_FULL") == "1" else []
    for service in (moto_server, toxiproxy, versitygw, fake_gcs, minio, *campaign):
        try:
            service.install()
        except Unavailable as problem:
            say(problem)
            failed = True
    return 1 if failed and os.environ.get("DRSTREAM_TEST_SERVICES") == "required" else 0


if __name__ == "__main__":
    sys.exit(main())
