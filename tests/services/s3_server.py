"""The base class of the tests' S3 servers: an owner, who creates buckets."""

import uuid

from services.s3_client import S3Client
from services.server_process import ServerProcess, free_port

ACCESS_KEY = "drstream-root"
SECRET_KEY = "drstream-root-secret"


class S3Server(ServerProcess):
    """A context manager: one server with one drive in `folder`; HTTPS if given certificates."""

    def __init__(self, folder, certificates=None):
        self.port = free_port()
        self.endpoint = f"{'https' if certificates else 'http'}://127.0.0.1:{self.port}"
        self.ca_file = certificates and certificates.ca_file
        self.access_key, self.secret_key = ACCESS_KEY, SECRET_KEY
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(self.command_line(folder, certificates), folder, self.is_ready, **self.variables())

    def command_line(self, folder, certificates):
        raise NotImplementedError

    def variables(self):
        return {}

    def is_ready(self):
        return self.client().request("GET", "/").status == 200

    def client(self):
        """A client with the owner's credentials."""
        return S3Client(self.endpoint, ACCESS_KEY, SECRET_KEY, ca_file=self.ca_file)

    def new_bucket(self, versioning=False, object_lock=False):
        """The name of a new, empty bucket."""
        bucket = f"test-{uuid.uuid4().hex[:16]}"
        self.client().make_bucket(bucket, versioning, object_lock)
        return bucket
