"""Where Google hands out access tokens."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

REFRESH_TOKEN = "1//test-refresh-token"


class GoogleLogin:
    """A context manager: a token endpoint for authorized users. `tokens`: all it gave, the newest last."""

    def __init__(self):
        self.tokens = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/token"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def write_credentials(self, path):
        """What `gcloud auth application-default login` leaves."""
        path.write_text(json.dumps({"type": "authorized_user", "client_id": "test", "client_secret": "test-secret",
                                    "refresh_token": REFRESH_TOKEN, "token_uri": self.endpoint}))
        return path

    def answer(self, form):
        if form.get("refresh_token") != [REFRESH_TOKEN] or form.get("grant_type") != ["refresh_token"]:
            return 400, {"error": "invalid_grant", "error_description": "Bad Request"}
        self.tokens.append(f"ya29.{uuid.uuid4().hex}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}


def _handler_of(login):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            status, answer = login.answer(form)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Tests look at `tokens`."""

    return Handler
