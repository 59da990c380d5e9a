"""One zone's own policy: the district's, with what `[zones.<zone>...]` of the same file puts in place of it, key by key.

A table is merged into the district's table of that name; any other value, a list of steps too, takes the place of the district's.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from controller.errors import BadConfig

T = TypeVar("T")
Table = Mapping[str, Any]


def parted(data: Table) -> tuple[dict[str, Any], Any]:
    """A policy's TOML without its zones, and the zones."""
    return {name: value for name, value in data.items() if name != "zones"}, data.get("zones", {})


def merged(base: Table, over: Table) -> dict[str, Any]:
    """`base` with what `over` puts in its place."""
    whole = dict(base)
    for name, value in over.items():
        theirs = whole.get(name)
        whole[name] = merged(theirs, value) if isinstance(theirs, Mapping) and isinstance(value, Mapping) else value
    return whole


def checked(data: Table, where: str, check: Callable[[Table, str], T]) -> tuple[T, dict[str, T]]:
    """The district's policy and each named zone's, as `check` reads them whole: it raises BadConfig with what is wrong in one.

    Raises BadConfig with every fault of the file; of a zone's policy with those alone that the district's has not got.
    """
    base, zones = parted(data)
    faults: list[str] = []
    found: dict[str, T] = {}
    own = _try(base, where, check, faults)
    already = set(faults)
    if not isinstance(zones, Mapping):
        faults.append(f"{where}, zones: found {zones!r}; expected tables like [zones.z3.kinds.panic]; correct it")
        zones = {}
    for zone, over in zones.items():
        if not isinstance(over, Mapping):
            faults.append(f"{where}, [zones] {zone}: found {over!r}; expected a table like [zones.{zone}.kinds.panic]; correct it")
            continue
        theirs: list[str] = []
        value = _try(merged(base, over), where, check, theirs)
        faults += (_in_zone(fault, where, zone) for fault in theirs if fault not in already)
        if value is not None:
            found[zone] = value
    if faults or own is None:
        raise BadConfig(faults)
    return own, found


def _try(data: Table, where: str, check: Callable[[Table, str], T], faults: list[str]) -> T | None:
    try:
        return check(data, where)
    except BadConfig as fault:
        faults.extend(fault.faults)
        return None


def _in_zone(fault: str, where: str, zone: str) -> str:
    """The fault's text with its path from the file's root."""
    place = fault.removeprefix(f"{where}, ").removeprefix(f"{where}: ")
    return f"{where}, [zones.{zone}.{place[1:]}" if place.startswith("[") else f"{where}, [zones.{zone}] {place}"


def unknown(zones: Iterable[str], known: Iterable[str]) -> list[str]:
    """What to say of zones that the policy has and the district has not."""
    there = sorted(known)
    return [f"[zones.{zone}]: the district has no such zone; expected one of {', '.join(there)}; correct it or remove it"
            for zone in zones if zone not in there]
