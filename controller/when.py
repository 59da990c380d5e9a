"""A moment as somebody types it: `sat 02:10`, `02:10`, `2026-09-26T02:10`, `now`."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controller.errors import BadConfig

_DAYS: Final = {name: day for names in (("mon", "lun"), ("tue", "mar"), ("wed", "mie", "mié"), ("thu", "jue"), ("fri", "vie"),
                                        ("sat", "sab", "sáb"), ("sun", "dom"))
                for day in [("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(names[0])] for name in names}
WEEK: Final = 7


def instant(text: str, now_ms: int, tz: ZoneInfo, where: str = "--at") -> int:
    """The moment meant, in UTC ms. A weekday or a time alone: the next such one from `now_ms` on. Times are on the wall in `tz`.

    Raises BadConfig.
    """
    wanted = text.strip().lower()
    if wanted == "now":
        return now_ms
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return _next(wanted, now_ms, tz, where)
    return _ms(at if at.tzinfo is not None else at.replace(tzinfo=tz))


def _next(text: str, now_ms: int, tz: ZoneInfo, where: str) -> int:
    day, _, clock = text.rpartition(" ")
    try:
        weekday = _DAYS[day.strip()[:3]] if day else None
        wall = time.fromisoformat(clock).replace(tzinfo=None)
    except (KeyError, ValueError):
        raise BadConfig([f'{where} {text!r}: no moment; expected e.g. "sat 02:10", "02:10", "2026-09-26T02:10" or "now"; correct it']) from None
    today = datetime.fromtimestamp(now_ms / 1000, tz).date()
    for n in range(WEEK + 1):
        date = today + timedelta(days=n)
        at_ms = _ms(datetime.combine(date, wall, tz))
        if at_ms >= now_ms and weekday in (None, date.weekday()):
            return at_ms
    raise BadConfig([f"{where} {text!r}: no such moment in the coming week; expected one; give the date, too"])


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
