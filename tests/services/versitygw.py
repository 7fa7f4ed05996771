"""versitygw, an S3 server that stores each object as a file in a folder tree."""

from services.go_program import go_module
from services.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

VERSION = "v1.8.0"


def install():
    return go_module("versitygw", "github.com/versity/versitygw/cmd/versitygw", VERSION)


class Versitygw(S3Server):
    """A context manager."""

    def command_line(self, folder, certificates):
        data, versions = folder / "data", folder / "versions"
        data.mkdir()
        versions.mkdir()
        trust = ["--cert", certificates.certificate_file, "--key", certificates.key_file] if certificates else []
        return [install(), "--quiet", "--port", f"127.0.0.1:{self.port}", "--keep-alive", *trust,
                "posix", "--versioning-dir", versions, data]

    def variables(self):
        # Enables http://bucket.localhost as well.
        return {"ROOT_ACCESS_KEY_ID": ACCESS_KEY, "ROOT_SECRET_ACCESS_KEY": SECRET_KEY, "VGW_VIRTUAL_DOMAIN": "localhost"}
