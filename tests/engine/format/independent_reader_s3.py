#!/usr/bin/python3
"""The independent reader for a repository in a bucket. It uses only listings and signed GETs.

usage: independent_reader_s3.py s3://BUCKET/PREFIX SNAPSHOT|latest [--stream NAME] [--from-packs] > out

The server is AWS_ENDPOINT_URL_S3, with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN.
DRSTREAM_CA_FILE, if set, names the trusted CA certificates. Everything else is as in independent_reader.py.
"""

import os
import pathlib
import sys

sys.path[:0] = map(str, [pathlib.Path(__file__).parent, pathlib.Path(__file__).parents[2]])

import independent_reader  # noqa: E402
from services.s3_client import S3Client  # noqa: E402


class Bucket:
    """Like independent_reader.Folder, for the objects below an s3:// address."""

    def __init__(self, address):
        self.bucket, _, prefix = address.removeprefix("s3://").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        variable = os.environ.get
        self.client = S3Client(variable("AWS_ENDPOINT_URL_S3"), variable("AWS_ACCESS_KEY_ID"),
                               variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN"),
                               ca_file=variable("DRSTREAM_CA_FILE"))

    def objects(self):
        sizes = self.client.sizes(self.bucket, self.prefix)
        return {key.removeprefix(self.prefix): size for key, size in sizes.items()}

    def read_object(self, name, begin=0, end=None):
        wanted = {} if (begin, end) == (0, None) else {"range": f"bytes={begin}-{'' if end is None else end - 1}"}
        reply = self.client.get(self.bucket, self.prefix + name, **wanted)
        if reply.status not in (200, 206):
            raise OSError(f"{name}: HTTP {reply.status}")
        return reply.body


if __name__ == "__main__":
    sys.exit(independent_reader.main(Bucket))
