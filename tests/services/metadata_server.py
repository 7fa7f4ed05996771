"""The AWS services from which programs get credentials: the instance metadata service, version 2, and the container
endpoint.

Both behave as AWS documents them. moto offers neither: its metadata service does not require a token.
"""

import datetime
import json
import uuid

from services.http_server import HttpServer, RequestHandler

ROLE = "drstream-backup"
ROLE_PATH = "/latest/meta-data/iam/security-credentials/"
CONTAINER_PATH = "/v2/credentials/drstream"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TTL_SECONDS_MAX = 21_600


class MetadataServer(HttpServer):
    """A context manager. Its replies are set by these attributes, at any time:

        credentials        (access key, secret key, session token)
        lifetime_seconds   their declared validity from now on
        failures           statuses of the next replies
        container_token    the Authorization that the container endpoint requires
    """

    def __init__(self):
        super().__init__(_Handler)
        self.credentials = ("ASIATESTTESTTESTTEST", "test-secret", "test-session-token")
        self.lifetime_seconds = 3600
        self.failures = []
        self.container_token = uuid.uuid4().hex
        self.requests = []  # "METHOD path", in order
        self.session_tokens = set()
        self.container_url = self.endpoint + CONTAINER_PATH  # for AWS_CONTAINER_CREDENTIALS_FULL_URI

    def answer(self, method, path, headers):
        """(status, body, further headers)."""
        self.requests.append(f"{method} {path}")
        if self.failures:
            return self.failures.pop(0), "", {}
        if path == "/latest/api/token":
            return self._new_token(headers) if method == "PUT" else (405, "", {"Allow": "OPTIONS, PUT"})
        if path == CONTAINER_PATH:
            return self._container_answer(headers)
        if headers.get(TOKEN_HEADER) not in self.session_tokens:
            return 401, "", {}
        return self._metadata_answer(path)

    def _new_token(self, headers):
        ttl = headers.get(TTL_HEADER, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= TTL_SECONDS_MAX or "X-Forwarded-For" in headers:
            return (403 if "X-Forwarded-For" in headers else 400), "", {}
        token = uuid.uuid4().hex
        self.session_tokens.add(token)
        return 200, token, {TTL_HEADER: ttl}

    def _metadata_answer(self, path):
        answers = {
            ROLE_PATH: ROLE,
            ROLE_PATH.rstrip("/"): ROLE,
            ROLE_PATH + ROLE: json.dumps({"Code": "Success", "LastUpdated": _time(0), "Type": "AWS-HMAC",
                                          **self._credentials()}),
            "/latest/meta-data/placement/region": "us-east-1",
        }
        return (200, answers[path], {}) if path in answers else (404, "", {})

    def _container_answer(self, headers):
        if headers.get("Authorization") != self.container_token:
            return 401, json.dumps({"code": "Unauthorized", "message": "invalid authorization token"}), {}
        return 200, json.dumps({"RoleArn": f"arn:aws:iam::123456789012:role/{ROLE}", **self._credentials()}), {}

    def _credentials(self):
        values = dict(zip(("AccessKeyId", "SecretAccessKey", "Token"), self.credentials, strict=True))
        return {**values, "Expiration": _time(self.lifetime_seconds)}


def _time(seconds_from_now):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Handler(RequestHandler):
    def _answer(self):
        self.body()
        status, body, headers = self.owner.answer(self.command, self.path, self.headers)
        content_type = "application/json" if body[:1] == "{" else "text/plain"
        self.reply(status, body.encode(), Content_Type=content_type, **headers)

    do_GET = do_PUT = do_POST = _answer
