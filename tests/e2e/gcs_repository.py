"""A repository in a bucket of Google Cloud Storage, as a user of the command line sees it."""

from repository import Repository

PREFIX = "backups"


class GcsRepository(Repository):
    """One in `bucket` of a FakeGcs, reached at `endpoint` (a proxy's, say): as an emulator, without credentials."""

    def __init__(self, binary, folder, server, bucket, endpoint=None, prefix=PREFIX, **options):
        super().__init__(binary, folder, **options)
        self.server = server
        self.bucket = bucket
        self.prefix = prefix
        self.path = f"gs://{bucket}/{prefix}"
        self.endpoint = endpoint or server.endpoint
        self.ca_file = server.ca_file
        self.variables = {}  # further ones, set by a test

    def environment(self, extra=None):
        variables = {
            "STORAGE_EMULATOR_HOST": self.endpoint,
            "DRSTREAM_CA_FILE": self.ca_file and str(self.ca_file),
        }
        return super().environment({**variables, **self.variables, **(extra or {})})

    def objects(self):
        """The names of the stored objects."""
        return {name.removeprefix(f"{self.prefix}/") for name in self.server.list(self.bucket, f"{self.prefix}/")}

    def read_object(self, name):
        reply = self.server.download(self.bucket, f"{self.prefix}/{name}")
        assert reply.status == 200, (name, reply.status)
        return reply.body

    def tree(self):
        """Everything below the repository: names and bytes."""
        return {name: self.read_object(name) for name in sorted(self.objects())}
