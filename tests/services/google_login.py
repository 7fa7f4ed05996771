"""A server that issues access tokens like Google."""

import json
import uuid
from urllib.parse import parse_qs

from services.http_server import HttpServer, RequestHandler

REFRESH_TOKEN = "1//test-refresh-token"


class GoogleLogin(HttpServer):
    """A context manager: a token endpoint for authorized users. `tokens`: all issued tokens, the newest last."""

    def __init__(self):
        super().__init__(_Handler)
        self.tokens = []
        self.endpoint += "/token"

    def write_credentials(self, path):
        """Writes the file that `gcloud auth application-default login` writes."""
        path.write_text(json.dumps({"type": "authorized_user", "client_id": "test", "client_secret": "test-secret",
                                    "refresh_token": REFRESH_TOKEN, "token_uri": self.endpoint}))
        return path

    def answer(self, form):
        if form.get("refresh_token") != [REFRESH_TOKEN] or form.get("grant_type") != ["refresh_token"]:
            return 400, {"error": "invalid_grant", "error_description": "Bad Request"}
        self.tokens.append(f"ya29.{uuid.uuid4().hex}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}


class _Handler(RequestHandler):
    def do_POST(self):
        status, answer = self.owner.answer(parse_qs(self.body().decode()))
        self.reply(status, json.dumps(answer).encode(), Content_Type="application/json")
