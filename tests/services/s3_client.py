"""A small S3 client: requests signed with Signature Version 4, path style, and the operations that tests need."""

import base64
import copy
import datetime
import hashlib
import hmac
import xml.etree.ElementTree as ElementTree
from collections import namedtuple
from urllib.parse import quote, urlsplit

from services.http_client import expect, send

Version = namedtuple("Version", "key version_id is_latest is_delete_marker")


class S3Client:
    """Signs with one set of credentials for one endpoint such as http://127.0.0.1:9000."""

    def __init__(self, endpoint, access_key, secret_key, session_token=None, region="us-east-1", ca_file=None):
        self.endpoint = endpoint
        self.access_key = access_key
        self.secret_key = secret_key
        self.session_token = session_token
        self.region = region
        self.ca_file = ca_file

    def through(self, endpoint, ca_file=None):
        """The same client through a proxy."""
        client = copy.copy(self)
        client.endpoint, client.ca_file = endpoint, ca_file
        return client

    def request(self, method, path, query=None, headers=None, body=b"", service="s3"):
        """The reply to one signed request, whatever its status."""
        url = f"{self.endpoint}{quote(path, safe='/-_.~')}"
        if query:
            url += "?" + _canonical_query(query)
        return send(url, method, self.sign(method, path, query, headers, body, service), body, self.ca_file)

    def sign(self, method, path, query=None, headers=None, body=b"", service="s3"):
        """`headers` with the signing headers."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        signed = {name.lower(): str(value).strip() for name, value in (headers or {}).items()}
        signed |= {"host": urlsplit(self.endpoint).netloc, "x-amz-date": now, "x-amz-content-sha256": digest}
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = "\n".join([method, quote(path, safe="/-_.~"), _canonical_query(query), lines, names, digest])
        scope = f"{now[:8]}/{self.region}/{service}/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self.secret_key.encode()
        for part in [*scope.split("/"), to_sign]:
            key = hmac.digest(key, part.encode(), "sha256")
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        )
        return signed

    def make_bucket(self, bucket, versioning=False, object_lock=False):
        """Creates a bucket; Object Lock implies versioning."""
        headers = {"x-amz-bucket-object-lock-enabled": "true"} if object_lock else {}
        expect(self.request("PUT", f"/{bucket}", headers=headers))
        if versioning:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            expect(self.request("PUT", f"/{bucket}", {"versioning": ""}, body=body))

    def put(self, bucket, key, body, **headers):
        """Headers as keywords, `_` for `-`: put(..., if_none_match="*")."""
        return self.request("PUT", f"/{bucket}/{key}", headers=_header_names(headers), body=body)

    def get(self, bucket, key, version_id=None, **headers):
        return self.request("GET", f"/{bucket}/{key}", _version_query(version_id), _header_names(headers))

    def head(self, bucket, key):
        return self.request("HEAD", f"/{bucket}/{key}")

    def delete(self, bucket, key, version_id=None):
        return self.request("DELETE", f"/{bucket}/{key}", _version_query(version_id))

    def list(self, bucket, prefix=""):
        """The keys below a prefix."""
        return list(self.sizes(bucket, prefix))

    def sizes(self, bucket, prefix=""):
        """The size of each object below a prefix, by key, from all pages."""
        found, query = {}, {"list-type": "2", "prefix": prefix}
        while True:
            page = _xml(expect(self.request("GET", f"/{bucket}", query)))
            found |= {_text(item, "Key"): int(_text(item, "Size")) for item in page.iter("Contents")}
            if _text(page, "IsTruncated") != "true":
                return found
            query["continuation-token"] = _text(page, "NextContinuationToken")

    def list_versions(self, bucket, prefix=""):
        """Each Version below a prefix, newest first for one key; the first 1,000."""
        page = _xml(expect(self.request("GET", f"/{bucket}", {"versions": "", "prefix": prefix})))
        assert _text(page, "IsTruncated") != "true", "more versions than one page holds"
        return [
            Version(_text(item, "Key"), _text(item, "VersionId"), _text(item, "IsLatest") == "true",
                    item.tag == "DeleteMarker")
            for item in page
            if item.tag in ("Version", "DeleteMarker")
        ]

    def retention(self, bucket, key):
        """(mode, retain-until date) of the newest version."""
        answer = _xml(expect(self.request("GET", f"/{bucket}/{key}", {"retention": ""})))
        return _text(answer, "Mode"), _text(answer, "RetainUntilDate")

    def default_retention(self, bucket, mode, days):
        """Locks objects put without a retention date for this many days; the bucket must have Object Lock."""
        body = (f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                f"<Mode>{mode}</Mode><Days>{days}</Days></DefaultRetention></Rule></ObjectLockConfiguration>").encode()
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        expect(self.request("PUT", f"/{bucket}", {"object-lock": ""}, {"x-amz-checksum-sha256": checksum}, body))

    def assume_role(self, policy, seconds=3600):
        """A client with temporary credentials and the permissions of `policy`, a JSON text."""
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": seconds, "Policy": policy}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = _canonical_query(form).encode()
        answer = _xml(expect(self.request("POST", "/", headers=headers, body=body, service="sts")))
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return S3Client(self.endpoint, *(_text(answer, name) for name in names), self.region, self.ca_file)


def error_code(reply):
    """The Code of an S3 error, None without one."""
    return _text(_xml(reply), "Code") if reply.body else None


def _canonical_query(query):
    pairs = sorted((quote(str(n), safe="-_.~"), quote(str(v), safe="-_.~")) for n, v in (query or {}).items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _header_names(keywords):
    return {name.replace("_", "-"): value for name, value in keywords.items()}


def _version_query(version_id):
    return {"versionId": version_id} if version_id else None


def _xml(reply):
    """The body without namespaces, in which servers differ."""
    root = ElementTree.fromstring(reply.body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(element, name):
    return next((found.text for found in element.iter(name)), None)
