"""Who may connect to a Kafka server of the tests: its listeners, what each demands, and how a client satisfies it.

| listener | a client needs |
|---|---|
| PLAINTEXT | nothing; always there; its clients may do everything, so tests prepare topics and permissions through it |
| SSL | trust in the server's authority |
| MTLS | the same and a certificate; its user is called CN=NAME |
| SCRAM, SCRAM_SSL | a name and a password |
| OAUTH, OAUTH_SSL | a token with the name; brokers accept any that is well-formed and has not expired |
"""

import base64
import json
import time
from dataclasses import dataclass, field

from services.certificates import Certificates

ANONYMOUS = "User:ANONYMOUS"  # who comes through PLAINTEXT


@dataclass(frozen=True)
class Security:
    """What a server has beside PLAINTEXT."""

    certificates: Certificates | None = None  # of the server: SSL, SCRAM_SSL, OAUTH_SSL
    client_certificates: Certificates | None = None  # of a client, whose authority is then trusted: MTLS
    users: dict[str, str] = field(default_factory=dict)  # passwords by name: SCRAM
    tokens: bool = False  # OAUTH
    acls: bool = False  # whether users need permissions, which KafkaClient.allow grants

    def listeners(self):
        """The protocols of the listeners, by their names."""
        found = {"PLAINTEXT": "PLAINTEXT"}
        for name, wanted in (("SCRAM", self.users), ("OAUTH", self.tokens)):
            if wanted:
                found[name] = "SASL_PLAINTEXT"
            if wanted and self.certificates:
                found[f"{name}_SSL"] = "SASL_SSL"
        if self.certificates:
            found["SSL"] = "SSL"
        if self.client_certificates:
            found["MTLS"] = "SSL"
        return found

    def broker_settings(self, folder):
        """The settings of a broker, which keeps its files in `folder`."""
        settings = {}
        if self.certificates:
            store = folder / "server.pem"
            store.write_bytes(self.certificates.key_file.read_bytes() + self.certificates.certificate_file.read_bytes())
            settings |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": store}
        if self.client_certificates:
            settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.client_certificates.ca_file,
                         "listener.name.mtls.ssl.client.auth": "required"}
        for name in self.listeners():
            mechanism, module = _sasl(name)
            if mechanism:
                prefix = f"listener.name.{name.lower()}"
                settings[f"{prefix}.sasl.enabled.mechanisms"] = mechanism
                settings[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = f"{module} required;"
        if self.acls:
            settings |= {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                         "super.users": ANONYMOUS}
        return settings

    def client_settings(self, listener, user=None):
        """The settings of librdkafka for a listener, as this user; without one also without credentials."""
        protocol = self.listeners()[listener]
        settings = {"security.protocol": protocol}
        if protocol.endswith("SSL"):
            settings["ssl.ca.location"] = str(self.certificates.ca_file)
        if listener == "MTLS" and user:
            settings |= {"ssl.certificate.location": str(self.client_certificates.certificate_file),
                         "ssl.key.location": str(self.client_certificates.key_file)}
        if listener.startswith("SCRAM"):
            settings |= {"sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": user or "nobody",
                         "sasl.password": self.users.get(user, "wrong")}
        if listener.startswith("OAUTH"):
            settings |= {"sasl.mechanisms": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true",
                         "sasl.oauthbearer.config": f"principal={user}" if user else ""}
        return settings


def _sasl(listener):
    package = "org.apache.kafka.common.security"
    if listener.startswith("SCRAM"):
        return "SCRAM-SHA-512", f"{package}.scram.ScramLoginModule"
    if listener.startswith("OAUTH"):
        return "OAUTHBEARER", f"{package}.oauthbearer.OAuthBearerLoginModule"
    return None, None


def token(user, seconds=3600):
    """A token for OAUTH, as an identity provider would issue it, but unsigned: valid for so long, or expired."""
    now = time.time()
    claims = {"sub": user, "iat": min(now, now + seconds), "exp": now + seconds}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
