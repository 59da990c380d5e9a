"""`cuadra gateway`: a zone's service, and a check of its file."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from controller import logs
from controller.errors import BrokenPromise, CuadraError
from controller.policy_file import read_policy
from controller.rules.policy import Policy
from controller.settings_file import read
from gateway.config import GatewayConfig
from gateway.service import Service

logger = logging.getLogger(__name__)

SWITCH_S: Final = 0.0005
"""How long a thread may keep the others waiting; Python's 5 ms would be added to a press at each of its three changes of thread."""

GARBAGE_AFTER: Final = 50_000
"""So many new objects before Python looks among them for cycles: at its 700, that looking is a quarter of a press's cost."""

gateway = typer.Typer(no_args_is_help=True, help="A zone's service: MQTT in, the rules around it, notices out.")

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The gateway's file; see config/gateway.toml.")]


@gateway.command()
def run(config: ConfigPath = Path("/etc/cuadra/gateway.toml"), *, verbose: bool = False) -> None:
    """Serve the zone until stopped."""
    settings = read(config, GatewayConfig)
    sys.setswitchinterval(SWITCH_S)
    listener = logs.start(verbose=verbose)
    try:
        asyncio.run(_serve(settings))
    finally:
        listener.stop()


@gateway.command()
def check(config: ConfigPath = Path("/etc/cuadra/gateway.toml")) -> None:
    """Read the file and the policy it names, and say every fault of both."""
    settings = read(config, GatewayConfig)
    policy = read_policy(settings.policy, settings.zone)
    channels = [name for name in ("sms", "dc09", "cap", "apprise", "webhook") if getattr(settings, name) is not None]
    if settings.sms is not None and any(modem.calls != "none" for modem in settings.sms.modems):
        channels.append("call")
    typer.echo(f"{config}: zone {settings.zone}, channels {', '.join(channels)}, policy {policy.version} with {', '.join(policy.kinds)}")
    for line in lacking(policy, channels):
        typer.echo(f"{config}: {line}", err=True)


def lacking(policy: Policy, channels: Collection[str]) -> Iterator[str]:
    """What steps of the policy count on and this gateway, which has these channels, cannot do."""
    for name, kind in policy.kinds.items():
        for n, step in enumerate(kind.steps, 1):
            where = f"policy [kinds.{name}] steps, #{n}"
            if not set(step.channels) & set(channels):
                yield f"{where}: by {', '.join(step.channels)}, of which this gateway has none, so it tells nobody; set one up, or change the step"
            elif "call" in step.channels and "call" not in channels:
                yield f'{where}: by call, and no modem may call; add calls = "dtmf" or "ring" to one of [[sms.modems]], or take call out of the step'


async def _serve(settings: GatewayConfig) -> None:
    service = Service(settings)
    # What the journal and the registry left behind stays: it is not looked through again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    running = asyncio.ensure_future(service.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, service.log_picture)
    try:
        await running
    except asyncio.CancelledError:
        logger.info("zone %s: stopped", settings.zone)
    except ExceptionGroup as group:
        promise, _ = group.split(CuadraError)
        if promise is None:
            raise
        fault = next(iter(_leaves(promise)))
        logger.critical("zone %s: %s", settings.zone, fault)
        raise (BrokenPromise if isinstance(fault, BrokenPromise) else CuadraError)(str(fault)) from group


def _leaves(group: ExceptionGroup) -> list[Exception]:
    return [leaf for one in group.exceptions for leaf in (_leaves(one) if isinstance(one, ExceptionGroup) else [one])]
