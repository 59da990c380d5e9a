"""`cuadra simulate phones`: watch the texts, type the replies, break the modems."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controller.errors import BadConfig
from simulators.typed import typed

if TYPE_CHECKING:
    from simulators.modem_simulator import ModemSimulator
    from simulators.phone_network import Phone, PhoneNetwork, Received

app = typer.Typer(add_completion=False)

HELP: Final = """\
  +51987654321: 1            that phone writes "1"
  off +51987654321 | on ...  switch a phone off, on
  pickup +51987654321 1      it answers calls after three seconds and presses 1 (digits, or nothing)
  ignore +51987654321        it lets them ring again
  busy +51987654321 | free   it is on another line; is not any more
  ring +51987654321 M        it rings modem M's number
  credit M *123# Saldo S/5   what the operator of modem M answers to a code
  swallow M | deliver M      it accepts texts that reach nobody; they do again
  unplug M | plug M          modem M (its name) loses, gets back its plug
  hang M | unhang M          it answers nothing (a restart by AT+CFUN=1,1 helps)
  lost M | found M           it loses, finds its network
  noprompt M | prompt M      it gives no prompt for texts; gives it again
  error M N                  the next text is answered +CMS ERROR: N
  lose M                     the next text goes out and is never acknowledged
  garbage M                  64 random bytes on its line
  noise M | clean M          garbage before every line; no more
  signal M N                 its signal as AT+CSQ says it (0 to 31)
  slow M X                   it takes X times as long
  quit
"""


@app.command()
def phones(
    modems: Annotated[int, typer.Option(min=1, max=16, help="how many modems")] = 1,
    link: Annotated[
        Path, typer.Option(help="where the first modem appears; the others beside it, counted on")
    ] = Path("/tmp/cuadra/modem1"),  # noqa: S108 (a link for this run, made anew)
    times: Annotated[float, typer.Option(min=0.001, help="scales every time: 0.1 is ten times as fast")] = 1.0,
    reply: Annotated[str, typer.Option(help="what every phone answers to every text")] = "",
    reply_after: Annotated[float, typer.Option(help="seconds until then")] = 3.0,
) -> None:
    """GSM modems on pseudo-terminals with phones behind them: watch texts, type replies and faults."""
    stem = link.name.rstrip("0123456789")
    links = [link, *(link.with_name(f"{stem}{number}") for number in range(2, modems + 1))]
    for place in links:
        _check_free(place)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(links, times, reply, reply_after))


def _check_free(place: Path) -> None:
    """Raises BadConfig where anything but an earlier run's link would be replaced, or no link can be made."""
    if os.path.lexists(place) and not (place.is_symlink() and place.readlink().is_relative_to("/dev/pts")):
        raise BadConfig([f"cuadra simulate phones, --link: {place} is there already; expected a place where nothing is; choose another"])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise BadConfig([f"cuadra simulate phones, --link: {place.parent} cannot be made ({fault.strerror}); expected a folder this user "
                         "may write; choose another"]) from fault
    if not os.access(place.parent, os.W_OK):
        raise BadConfig([f"cuadra simulate phones, --link: {place.parent} is not this user's; expected a folder this user may write; "
                         "choose another"])


async def _run(links: list[Path], times: float, reply: str, reply_after: float) -> None:
    from simulators.phone_network import Pace, PhoneNetwork  # noqa: PLC0415 (it imports this file for its `app`)

    def show(phone: "Phone", received: "Received") -> None:
        typer.echo(f"{received.sender} -> {phone.number}: {received.text}")
        if reply:
            network.later(reply_after, lambda: phone.writes(reply, received.sender))

    async with PhoneNetwork(Pace(times=times), show, typer.echo) as network:
        for number, link in enumerate(links, 1):
            modem = network.modem(f"modem{number}", link)
            typer.echo(f"{modem.name}: {modem.number} at {modem.link}")
        typer.echo("type ? for what can be typed")
        lines = typed()
        while True:
            line = await lines.get()
            if not line:  # nobody is typing: serve until stopped
                await asyncio.Event().wait()
            if line.strip() == "quit":
                return
            typer.echo(obey(network, line.strip()), nl=False)


def obey(network: "PhoneNetwork", line: str) -> str:
    """Do what was typed; returns what to show, one line or nothing."""
    if line.startswith("+") and ":" in line:
        number, _, text = line.partition(":")
        network.phone(number.strip()).writes(text.strip())
        return ""
    if line in ("?", "help"):
        return HELP
    what, _, rest = line.partition(" ")
    if not what:
        return ""
    if what in OF_PHONES:
        number, _, value = rest.strip().partition(" ")
        return _of_a_phone(network, what, network.phone(number), value)
    name, _, value = rest.partition(" ")
    modem = next((modem for modem in network.modems if modem.name == name), None)
    if what not in COMMANDS or modem is None:
        known = ", ".join(modem.name for modem in network.modems)
        return f"{line!r}: not understood; expected a command from ? and one of {known}\n"
    try:
        COMMANDS[what](modem, value)
    except ValueError:
        return f"{line!r}: {value!r} is no number; expected e.g. {what} {name} 38\n"
    return ""


def _of_a_phone(network: "PhoneNetwork", what: str, phone: "Phone", value: str) -> str:
    match what:
        case "on":
            phone.switch_on()
        case "off":
            phone.switch_off()
        case "pickup":
            phone.line.picks_up(presses=value)
        case "ignore":
            phone.line.answers_after_s = None
        case "busy" | "free":
            phone.line.busy = what == "busy"
        case _:
            modem = next((modem for modem in network.modems if modem.name == value), None)
            if modem is None:
                return f"no modem {value!r}; expected one of {', '.join(modem.name for modem in network.modems)}\n"
            if phone.line.calls(modem.number) is None:
                return f"{value} is busy\n"
    return ""


OF_PHONES: Final = ("on", "off", "pickup", "ignore", "busy", "free", "ring")


def _set(name: str, value: object) -> "Callable[[ModemSimulator, str], None]":
    return lambda modem, _: setattr(modem.faults, name, value)


COMMANDS: "Final[dict[str, Callable[[ModemSimulator, str], None]]]" = {
    "unplug": lambda modem, _: modem.unplug(),
    "plug": lambda modem, _: modem.plug(),
    "hang": _set("hung", value=True),
    "unhang": _set("hung", value=False),
    "lost": lambda modem, _: setattr(modem, "registration", 2),
    "found": lambda modem, _: setattr(modem, "registration", 1),
    "noprompt": _set("no_prompt", value=True),
    "prompt": _set("no_prompt", value=False),
    "error": lambda modem, value: modem.faults.errors.append(f"+CMS ERROR: {int(value)}"),
    "lose": _set("lost_answers", 1),
    "swallow": _set("swallows", value=True),
    "deliver": _set("swallows", value=False),
    "credit": lambda modem, value: modem.calls.codes.update([value.partition(" ")[::2]]),
    "garbage": lambda modem, _: modem.garbage(),
    "noise": _set("noise", value=True),
    "clean": _set("noise", value=False),
    "signal": lambda modem, value: setattr(modem, "rssi", int(value)),
    "slow": lambda modem, value: setattr(modem.faults, "slow", float(value)),
}
