"""A repository in a bucket, as a user of the command line sees it."""

from repository import Repository

PREFIX = "backups"


class S3Repository(Repository):
    """One in `bucket` of a server, reached at `endpoint` (a proxy's, say), with the credentials of `client`."""

    def __init__(self, binary, folder, client, bucket, endpoint=None, prefix=PREFIX, **options):
        super().__init__(binary, folder, **options)
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
        self.path = f"s3://{bucket}/{prefix}"
        self.endpoint = endpoint or client.endpoint
        self.ca_file = client.ca_file
        self.variables = {}  # further ones, set by a test

    def environment(self, extra=None):
        variables = {
            "AWS_ACCESS_KEY_ID": self.client.access_key,
            "AWS_SECRET_ACCESS_KEY": self.client.secret_key,
            "AWS_SESSION_TOKEN": self.client.session_token,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "DRSTREAM_CA_FILE": self.ca_file and str(self.ca_file),
        }
        given = {**variables, **self.variables, **(extra or {})}
        return super().environment(given)

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
