"""SeaweedFS, an S3 server with its own storage format: many small objects in few large files."""

import json

from services.go_program import go_program_of_module
from services.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from services.server_process import free_port

VERSION = "v0.0.0-20261109003541-7506e5f91cd6"  # 4.53; Go does not accept its tags as versions


def install():
    return go_program_of_module("seaweedfs", "github.com/seaweedfs/seaweedfs", VERSION, "weed")


class SeaweedFs(S3Server):
    """A context manager: master, volumes, filer and the S3 gateway in one process."""

    def command_line(self, folder, certificates):
        data, users = folder / "data", folder / "users.json"
        data.mkdir()
        owner = {"name": "owner", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                 "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        users.write_text(json.dumps({"identities": [owner]}))
        options = {"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": data, "volume.max": 10_000,
                   "master.volumeSizeLimitMB": 64, "master.telemetry": "false", "s3": "true", "s3.config": users,
                   "s3.port": self.port, "s3.port.iceberg": 0, "s3.port.lance": 0,
                   "s3.localSocket": folder / "s3.socket", "filer.localSocket": folder / "filer.socket"}
        for name in ("master.port", "volume.port", "filer.port", "s3.port"):
            options[f"{name}.grpc"] = free_port()
            options.setdefault(name, free_port())
        if certificates:
            options |= {"s3.cert.file": certificates.certificate_file, "s3.key.file": certificates.key_file}
        return [install(), "server", *(f"-{name}={value}" for name, value in options.items())]

    def variables(self):
        # Each bucket has separate volumes: one per bucket, not seven, so that they suffice for a long run.
        return {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}

    def is_ready(self):
        # The gateway replies before there are volumes to write to.
        if not super().is_ready():
            return False
        client = self.client()
        client.request("PUT", "/ready")
        return client.put("ready", "probe", b"x").status == 200
