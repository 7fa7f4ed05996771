"""fake-gcs-server, which emulates Google Cloud Storage."""

import json
import uuid
from urllib.parse import quote

from services.certificates import Certificates
from services.go_program import go_module
from services.http_client import expect, send
from services.server_process import ServerProcess, free_port

VERSION = "v1.56.1"


def install():
    return go_module("fake-gcs-server", "github.com/fsouza/fake-gcs-server", VERSION)


class FakeGcs(ServerProcess):
    """A context manager: a server with its objects in files below `folder`; HTTPS if given certificates."""

    def __init__(self, folder, certificates: Certificates | None = None):
        self.port = free_port()
        scheme = "https" if certificates else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.port}"
        self.ca_file = certificates and certificates.ca_file
        folder.mkdir(parents=True, exist_ok=True)
        command = [install(), "-scheme", scheme, "-host", "127.0.0.1", "-port", self.port, "-backend", "filesystem",
                   "-filesystem-root", folder / "data", "-external-url", self.endpoint,
                   "-public-host", f"127.0.0.1:{self.port}"]
        if certificates:
            command += ["-cert-location", certificates.certificate_file, "-private-key-location", certificates.key_file]
        super().__init__(command, folder, self._is_ready)

    def _is_ready(self):
        return self.request("GET", "/storage/v1/b?project=test").status == 200

    def request(self, method, target, headers=None, body=b""):
        return send(f"{self.endpoint}{target}", method, headers, body, self.ca_file)

    def new_bucket(self):
        """The name of a new, empty bucket."""
        bucket = f"test-{uuid.uuid4().hex[:16]}"
        body = json.dumps({"name": bucket}).encode()
        expect(self.request("POST", "/storage/v1/b?project=test", {"Content-Type": "application/json"}, body))
        return bucket

    def put(self, bucket, name, body, **parameters):
        """The reply to a simple upload; parameters such as ifGenerationMatch=0."""
        query = "".join(f"&{key}={value}" for key, value in parameters.items())
        target = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}{query}"
        return self.request("POST", target, {"Content-Type": "application/octet-stream"}, body)

    def get(self, bucket, name):
        return self.request("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media")

    def delete(self, bucket, name):
        return self.request("DELETE", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")

    def list(self, bucket, prefix=""):
        """The names below a prefix."""
        return list(self.sizes(bucket, prefix))

    def sizes(self, bucket, prefix=""):
        """The size of each object below a prefix, by name."""
        reply = expect(self.request("GET", f"/storage/v1/b/{bucket}/o?prefix={quote(prefix, safe='')}"))
        return {item["name"]: int(item["size"]) for item in json.loads(reply.body).get("items", [])}
