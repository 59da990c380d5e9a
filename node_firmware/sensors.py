"""What the machine says of itself, from the kernel's own files; None for what is not fitted."""

import contextlib
from pathlib import Path

from node_firmware.inputs import PowerRead


def read(root: Path = Path("/")) -> PowerRead:
    """Read all sensors. May wait on a driver: not for the event loop's thread."""
    mains, battery_mv = _supplies(root / "sys/class/power_supply")
    temperature = _number(root / "sys/class/thermal/thermal_zone0/temp")
    return PowerRead(
        mains=mains,
        battery_mv=battery_mv,
        signal_dbm=_signal(root / "proc/net/wireless"),
        temperature_c=None if temperature is None else round(temperature / 1000),
    )


def _supplies(folder: Path) -> tuple[bool | None, int | None]:
    """The kernel's power_supply class: `online` of a mains supply, `voltage_now` (µV) of a battery."""
    mains: bool | None = None
    battery_mv: int | None = None
    for supply in sorted(folder.iterdir()) if folder.is_dir() else []:
        sort = _text(supply / "type")
        if sort in ("Mains", "USB"):
            online = _number(supply / "online")
            if online is not None:
                mains = bool(online) or bool(mains)
        elif sort == "Battery" and battery_mv is None:
            voltage = _number(supply / "voltage_now")
            battery_mv = None if voltage is None else round(voltage / 1000)
    return mains, battery_mv


def _signal(path: Path) -> int | None:
    """The first wireless interface's level in dBm: fourth column of its line in /proc/net/wireless."""
    for line in _text(path).splitlines()[2:]:
        columns = line.split()
        if len(columns) > 3:
            with contextlib.suppress(ValueError):
                return round(float(columns[3].rstrip(".")))
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):  # not fitted, or not just now
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdecimal() else None
