"""`[sms]` of gateway.toml; docs/sms.md has it line by line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from controller.messages import Name
from gateway.modem.credit import CreditSettings
from gateway.modem.modem import Timing
from gateway.modem.voice import CallTiming


class ModemSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One modem. port: its AT port, best under /dev/serial/by-id or by-path, which stay the same when it is replugged.

    pin_file: holds the SIM's PIN, when it has one. own_number: of its SIM, so that a text from ourselves is not taken for
    a member's. calls: whether it may call, and whether it hears digits. role: `going` for the number that members ring to say "I am
    going"; it sends texts only while no other can, or they would ring it back and be taken for going.
    """

    name: Name
    port: Path
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    pin_file: Path | None = None
    own_number: Annotated[str, Meta(pattern=r"^\+[0-9]{6,15}$")] | None = None
    calls: Literal["none", "ring", "dtmf"] = "none"
    role: Literal["texts", "going"] = "texts"
    credit: CreditSettings | None = None


class SmsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sms]` of gateway.toml.

    parts_max: a longer text is cut to as many, ending in "...". validity_minutes: afterwards the network drops it, so that
    last night's alarm does not arrive in the morning. wait_s: how long a text waits for a modem that is well.
    country: put before a sender's number that came without one.
    """

    modems: Annotated[tuple[ModemSettings, ...], Meta(min_length=1)]
    parts_max: Annotated[int, Meta(ge=1, le=8)] = 4
    validity_minutes: Annotated[int, Meta(ge=5, le=720)] = 60
    wait_s: Annotated[float, Meta(gt=0, le=600)] = 60.0
    country: Annotated[str, Meta(pattern=r"^[0-9]{0,4}$")] = "51"
    timing: Timing = field(default_factory=Timing)
    calls: CallTiming = field(default_factory=CallTiming)

    def faults(self) -> Iterable[str]:
        """What the types cannot say."""
        for modem in self.modems:
            for fault in modem.credit.faults() if modem.credit is not None else ():
                yield f"[[sms.modems]] {modem.name}: credit.{fault}"
        for what, values in (("name", [modem.name for modem in self.modems]), ("port", [str(m.port) for m in self.modems])):
            for value in sorted({value for value in values if values.count(value) > 1}):
                yield f"[[sms.modems]] {what}: {value!r} stands twice; expected each modem's own; correct one of them"
        if all(modem.role == "going" for modem in self.modems):
            yield '[[sms.modems]] role: "going" for each; expected one at least that texts come from; leave it out there'
