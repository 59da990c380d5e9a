"""A gateway's own file, `gateway.toml`: its zone, its records, its broker and the ways it can tell people."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, field

from controller.broker_settings import BrokerSettings
from controller.messages import Name
from gateway.channels.apprise import AppriseSettings
from gateway.channels.cap import CapSettings
from gateway.channels.dc09 import Dc09Settings
from gateway.channels.sms_settings import SmsSettings
from gateway.channels.webhook import WebhookSettings


class KeyFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """This gateway's secrets, each a file of its own, made (0600) at the first start, never in the database.

    gateway: its half of the key shared with each node; its checkpoints' signing key is derived from it. people: opens the
    private values.
    """

    gateway: Path = Path("/var/lib/cuadra-gateway/gateway.key")
    people: Path = Path("/var/lib/cuadra-gateway/people.key")


class GatewayConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The file, whole.

    database: an SQLAlchemy URL, `sqlite:////var/lib/...` or `postgresql://...`. policy: the district's policy file.
    A channel is there when its table is: `[sms]` with its modems, `[dc09]`, `[cap]`, `[apprise]`, `[webhook]`.
    """

    zone: Name
    policy: Path
    database: str = "sqlite:////var/lib/cuadra-gateway/gateway.db"
    broker: BrokerSettings = BrokerSettings("127.0.0.1")
    keys: KeyFiles = field(default_factory=KeyFiles)
    sms: SmsSettings | None = None
    dc09: Dc09Settings | None = None
    cap: CapSettings | None = None
    apprise: AppriseSettings | None = None
    webhook: WebhookSettings | None = None

    def faults(self) -> Iterable[str]:
        """What the types cannot say."""
        if not self.database.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            scheme = self.database.split(":", 1)[0]
            yield f"database: a URL of {scheme!r}; expected sqlite:////path or postgresql://user@host/name; correct it"
        if not any((self.sms, self.dc09, self.cap, self.apprise, self.webhook)):
            yield "no channel: expected at least one of [sms], [dc09], [cap], [apprise], [webhook], or nobody could be told; add one"
        for part in (self.sms, self.cap):
            yield from part.faults() if part is not None else ()
