"""A repository in a bucket of S3, as a user of the command line sees it."""

from bucket_repository import BucketRepository


class S3Repository(BucketRepository):
    """`client`: an S3Client."""

    scheme = "s3"

    def store_variables(self):
        return {
            "AWS_ACCESS_KEY_ID": self.client.access_key,
            "AWS_SECRET_ACCESS_KEY": self.client.secret_key,
            "AWS_SESSION_TOKEN": self.client.session_token,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
