"""A repository in a bucket of an object store, as a user of the command line sees it."""

from repository import Repository

PREFIX = "backups"


class BucketRepository(Repository):
    """One in `bucket`, below `prefix`, reached at `endpoint` (a proxy's, say), with the credentials of `client`."""

    scheme = None  # of its address

    def __init__(self, binary, folder, client, bucket, endpoint=None, prefix=PREFIX, **options):
        super().__init__(binary, folder, **options)
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
        self.path = f"{self.scheme}://{bucket}/{prefix}"
        self.endpoint = endpoint or client.endpoint
        self.ca_file = client.ca_file
        self.variables = {}  # further ones, set by a test

    def store_variables(self):
        """How the command finds the store, and may use it."""
        raise NotImplementedError

    def environment(self, extra=None):
        trust = {"DRSTREAM_CA_FILE": self.ca_file and str(self.ca_file)}
        return super().environment({**self.store_variables(), **trust, **self.variables, **(extra or {})})

    def objects(self):
        """The names of the stored objects."""
        return {key.removeprefix(f"{self.prefix}/") for key in self.client.list(self.bucket, f"{self.prefix}/")}

    def read_object(self, name):
        reply = self.client.get(self.bucket, f"{self.prefix}/{name}")
        assert reply.status == 200, (name, reply.status)
        return reply.body

    def tree(self):
        """Everything below the repository: names and bytes."""
        return {name: self.read_object(name) for name in sorted(self.objects())}
