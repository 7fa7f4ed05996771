"""A repository in a bucket of Google Cloud Storage, as a user of the command line sees it."""

from bucket_repository import BucketRepository


class GcsRepository(BucketRepository):
    """`client`: a FakeGcs, used as an emulator, without credentials."""

    scheme = "gs"

    def store_variables(self):
        return {"STORAGE_EMULATOR_HOST": self.endpoint}
