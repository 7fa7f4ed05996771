"""A repository in a bucket of an object store, as a user of the command line sees it."""

from repository import Repository
from services.http_client import expect

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

    def store_variables(self):
        """How the command finds the store, and may use it."""
        raise NotImplementedError

    def environment(self, extra=None):
        trust = {"DRSTREAM_CA_FILE": self.ca_file and str(self.ca_file)}
        return super().environment({**self.store_variables(), **trust, **self.variables, **(extra or {})})

    def exists(self):
        return self.objects() != {}

    def objects(self):
        sizes = self.client.sizes(self.bucket, f"{self.prefix}/")
        return {key.removeprefix(f"{self.prefix}/"): size for key, size in sorted(sizes.items())}

    def read_object(self, name, begin=0, end=None):
        return expect(self.client.get(self.bucket, f"{self.prefix}/{name}"), 200).body[begin:end]

    def write_object(self, name, data):
        expect(self.client.put(self.bucket, f"{self.prefix}/{name}", bytes(data)))

    def remove_object(self, name):
        expect(self.client.delete(self.bucket, f"{self.prefix}/{name}"))

    def remove_all(self, kind=""):
        for name in self.names(kind) if kind else self.objects():
            self.remove_object(name)

    def tree(self):
        return {name: self.read_object(name) for name in self.objects()}
