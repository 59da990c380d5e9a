"""`[broker]` of a node's and of a gateway's file: where the zone's broker is."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from controller.errors import BadConfig

Port = Annotated[int, Meta(ge=1, le=65535)]


class BrokerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the zone's broker is. ca_file set: TLS."""

    host: str
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None

    def password(self) -> str | None:
        """What the password file holds; None without one.

        Raises BadConfig when it cannot be read or is empty.
        """
        if self.password_file is None:
            return None
        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise BadConfig([f"[broker] password_file: {self.password_file} cannot be read ({fault}); "
                             "expected a file with the password alone, readable by this user"]) from fault
        if not password:
            raise BadConfig([f"[broker] password_file: {self.password_file} is empty; expected the password alone; remove the file and "
                             "run `cuadra key password` again, as for a new machine"])
        return password
