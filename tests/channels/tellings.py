"""A telling and its event, as the dispatcher would hand them over; each test changes what it is about."""

import msgspec

from gateway.channels.channel import Event, PartState, Place, Telling

PRESSED_AT_MS = 1_768_480_496_000
"""2026-01-15 12:34:56 UTC."""

PLACE = Place(
    block="b12", block_name="Mz C, AA.HH. Virgen de Lourdes", meeting_point="Losa deportiva", landmark="Reservorio",
    latitude=-12.0607, longitude=-77.0395, address="Lote 7, segundo piso",
)

EVENT = Event(
    step="opened", incident="abcdefghij", kind="panic", code="K7F3", zone="z7", zone_name="Comité Zona 7", place=PLACE,
    node="b12n1", input="button", pressed_from_at_ms=PRESSED_AT_MS, pressed_to_at_ms=PRESSED_AT_MS,
    made_at_ms=PRESSED_AT_MS + 1_234, silent=False, drill=False, late=False, cid="120", sia="PA", restore_sia="PR",
    cap_category="Security", cap_event="Pánico", severity="Severe", zone_number=7,
)


def event(**changes: object) -> Event:
    """The example event, changed."""
    return msgspec.structs.replace(EVENT, **changes)


def telling(address: str, number: int = 1, attempt: int = 1, **changes: object) -> Telling:
    """A try of a notice about the example event, changed."""
    return Telling(
        key=f"abcdefghij-{number}", attempt=attempt, number=number, address=address, title="PANICO",
        text="PANICO Mz C. Losa deportiva 07:34. K7F3. Responda 1 si va.", language="es", event=event(**changes),
        secret=changes.get("silent") is True,
    )


class News:
    """What a channel reports."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, bool]] = []

    def __call__(self, news: object) -> None:
        """Take it."""
        assert isinstance(news, PartState), news
        self.said.append((news.subject, news.code, news.faulty))
