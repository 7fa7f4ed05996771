"""Installs the services before the tests, so that a long build is not mistaken for a hanging test.

    PYTHONPATH=tests /usr/bin/python3 -m services.install

Does nothing if all are installed. SeaweedFS, whose build is by far the longest, and further Debian roots are installed
only with DRSTREAM_TEST_FULL=1, for the campaigns. Reports failures, and fails itself if
DRSTREAM_TEST_SERVICES=required.
"""

import os
import sys
from functools import partial

from services import (
    debian_root,
    fake_gcs,
    grafana_schema,
    kafka,
    kafka_client,
    kubernetes_validate,
    minio,
    moto_server,
    prometheus,
    seaweedfs,
    toxiproxy,
    versitygw,
)
from services.cache import Unavailable, say


def main():
    failed = False
    full = os.environ.get("DRSTREAM_TEST_FULL") == "1"
    always = (moto_server, kafka_client, kafka, toxiproxy, versitygw, fake_gcs, minio, prometheus, kubernetes_validate,
              grafana_schema)
    installers = [service.install for service in always]
    installers.append(partial(kafka.install_jars, kafka.VERSION_4))
    if full:
        installers.append(seaweedfs.install)
    if os.geteuid() == 0:
        roots = debian_root.FURTHER_PACKAGES if full else ["bookworm"]
        installers += [partial(debian_root.install, name) for name in roots]
    for install in installers:
        try:
            install()
        except Unavailable as problem:
            say(problem)
            failed = True
    return 1 if failed and os.environ.get("DRSTREAM_TEST_SERVICES") == "required" else 0


if __name__ == "__main__":
    sys.exit(main())
