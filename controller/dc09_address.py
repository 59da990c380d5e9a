"""The address of a DC-09 receiver: what the registry lets in is what the channel can use, since both read it here."""

import re
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from controller.errors import BadMessage

Label = Literal["ADM-CID", "SIA-DCS"]

_LABELS: Final[dict[str, Label]] = {"adm-cid": "ADM-CID", "sia-dcs": "SIA-DCS"}
_OPTIONS: Final = frozenset({"format", "key", "receiver", "line", "transport"})


class ReceiverAddress(Struct, frozen=True):
    """A receiver, and who we are to it. key: AES, 16, 24 or 32 bytes, or None."""

    host: str
    port: int
    account: str
    label: Label
    key: bytes | None
    receiver: str
    line: str

    @property
    def place(self) -> str:
        """`host:port`: how logs and faults name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(address: str) -> ReceiverAddress:
    """The receiver that `dc09://<account>@host:port?format=...&key=...&receiver=...&line=...&transport=tcp` names.

    Raises BadMessage naming the part that is wrong; never the address, which holds a key.
    """
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port
        options = parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
    except ValueError as fault:
        raise BadMessage("DC-09 address: not a URL; expected dc09://account@host:port?...; correct it") from fault
    given = dict(options)
    account, label = (url.username or "").upper(), _LABELS.get(given.get("format", "sia-dcs"))
    receiver, line = given.get("receiver", "1").upper(), given.get("line", "0").upper()
    faults = [text for wrong, text in (
        (url.scheme != "dc09", "scheme: expected dc09"),
        (not re.fullmatch("[0-9A-F]{3,16}", account), "account: expected 3 to 16 hex digits before the @"),
        (not host, "host: missing"),
        (not port, "port: missing; the receiver's owner names it"),
        (label is None, "format: expected adm-cid or sia-dcs"),
        (given.get("transport", "tcp") != "tcp", "transport: expected tcp"),
        (not re.fullmatch("[0-9A-F]{1,6}", receiver), "receiver: expected 1 to 6 hex digits"),
        (not re.fullmatch("[0-9A-F]{1,6}", line), "line: expected 1 to 6 hex digits"),
        (bool(given.keys() - _OPTIONS), "an unknown option; expected " + ", ".join(sorted(_OPTIONS))),
        (len(given) != len(options), "an option twice"),
        (not re.fullmatch("|".join(f"[0-9A-Fa-f]{{{n}}}" for n in (0, 32, 48, 64)), given.get("key", "")),
         "key: expected 32, 48 or 64 hex digits"),
    ) if wrong]
    if faults or host is None or port is None or label is None:
        raise BadMessage(f"DC-09 address: {'; '.join(faults)}; correct it")
    return ReceiverAddress(host, port, account, label, bytes.fromhex(given.get("key", "")) or None, receiver, line)
