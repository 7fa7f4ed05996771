"""MinIO, a real S3 server."""

import json
import uuid

from services.go_program import go_module
from services.http_client import expect
from services.minio_secret import seal
from services.s3_client import S3Client
from services.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"  # the last public commit


def install():
    return go_module("minio", "github.com/minio/minio", VERSION)


class Minio(S3Server):
    """A context manager: a MinIO of one drive in `folder`; HTTPS if it is given certificates."""

    def command_line(self, folder, certificates):
        trust = folder / "certificates"  # empty: HTTP
        trust.mkdir()
        for path in certificates[1:] if certificates else ():
            (trust / path.name).symlink_to(path)
        return [install(), "server", "--quiet", "--certs-dir", trust, "--address", f"127.0.0.1:{self.port}",
                folder / "data"]

    def variables(self):
        return {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY, "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off"}

    def is_ready(self):
        # Its health pages report ready too early. An unknown user gets 503 until the drive and the users are loaded.
        nobody = S3Client(self.endpoint, "nobody", "nobody-secret", ca_file=self.ca_file)
        return nobody.request("GET", "/").status == 403

    def restricted(self, bucket, *actions):
        """A client with temporary credentials for these actions, such as "s3:GetObject", on one bucket."""
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        return self.client().assume_role(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def user(self, policy):
        """A client of a new user with the permissions of `policy`, a JSON text."""
        name, secret = f"user-{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
        account = seal(SECRET_KEY, json.dumps({"secretKey": secret, "status": "enabled"}).encode())
        self._admin("add-user", account, accessKey=name)
        self._admin("add-canned-policy", policy.encode(), name=name)
        self._admin("set-user-or-group-policy", b"", policyName=name, userOrGroup=name, isGroup="false")
        return S3Client(self.endpoint, name, secret, ca_file=self.ca_file)

    def _admin(self, operation, body, **query):
        expect(self.client().request("PUT", f"/minio/admin/v3/{operation}", query, body=body))
