"""The vocabulary of these stories: a gateway's channel `sms` over real pseudo-terminals, and the phones behind them."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.channels.call import CallChannel
from gateway.channels.channel import ChannelNews, Delivered, Outcome, Paced, PartState, Telling, Wrote
from gateway.channels.sms import SmsChannel
from gateway.channels.sms_settings import ModemSettings, SmsSettings
from gateway.modem.modem import Timing
from gateway.modem.voice import CallTiming
from simulators.modem_simulator import ModemSimulator
from simulators.phone_network import Pace, PhoneNetwork

ROSA = "+51987654321"
JUAN = "+51912345678"
QUICK = Timing(
    answer_s=0.15, prompt_s=0.15, send_s=0.5, sync_s=0.05, supervise_s=0.1, poll_s=0.4, boot_s=0.05, reopen_s=0.05,
    reopen_s_max=0.2, no_network_restart_s=60.0,
)


QUICK_CALLS = CallTiming(dial_s=0.5, ring_s=0.3, talk_s=0.4, look_s=0.02, prompt_every_s=0.1)


class Gateway:
    """A channel that runs, and everything it has said."""

    def __init__(self, settings: SmsSettings) -> None:
        self.channel = SmsChannel(settings)
        self.calls = CallChannel(self.channel)
        self.news: list[ChannelNews] = []
        self.paces: list[Paced] = []
        self.origins: list[str] = []
        self.written_at_ms: list[int] = []
        """Of the texts in `news`, which are compared without."""
        self.records = True
        """False: nothing can be put on record; what is not yet lies in `unrecorded`, the oldest first."""
        self.unrecorded: list[asyncio.Future[None]] = []
        self.at: dict[ChannelNews, Callable[[], object]] = {}
        """What happens at the moment at which something is said."""
        self._said = asyncio.Event()
        self._run: asyncio.Task[None] | None = None

    def start(self) -> None:
        async def run() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.channel.run(self._hear))
                group.create_task(self.calls.run(self._hear))

        self._run = asyncio.get_running_loop().create_task(run())

    async def stop(self) -> None:
        if self._run is not None:
            self._run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._run
            self._run = None

    def _hear(self, news: ChannelNews) -> asyncio.Future[None] | None:
        if isinstance(news, Wrote):
            self.origins.append(news.origin)
            self.written_at_ms.append(news.written_at_ms)
            news = replace(news, origin="", written_at_ms=0)
        if isinstance(news, Paced):
            self.paces.append(news)
            return None
        self.news.append(news)
        self._said.set()
        self.at.get(news, lambda: None)()
        if self.records:
            return None
        self.unrecorded.append(asyncio.get_running_loop().create_future())
        return self.unrecorded[-1]

    async def until(self, condition: Callable[[], object], within_s: float = 8.0) -> None:
        """Wait for something that comes true when the channel has said something, or a little later."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 (the simulator's state has no event)
                await asyncio.sleep(0.005)

    async def is_well(self, modems: int = 1) -> None:
        await self.until(lambda: sum(modem.well for modem in self.channel.modems) == modems)

    async def says(self, news: ChannelNews) -> None:
        try:
            await self.until(lambda: news in self.news)
        except TimeoutError:
            pytest.fail(f"expected {news} among {self.news}")

    async def reports(self, code: str, *, faulty: bool = True, modem: str = "sim1", times: int = 1) -> None:
        """Wait until that fault was reported, or its end."""

        def said() -> bool:
            return sum(
                isinstance(n, PartState) and (n.subject, n.code, n.faulty) == (f"modem/{modem}", code, faulty) for n in self.news
            ) >= times

        try:
            await self.until(said)
        except TimeoutError:
            pytest.fail(f"expected {code} {'begun' if faulty else 'ended'} of {modem} among {self.news}")

    def wrote(self) -> list[Wrote]:
        return [news for news in self.news if isinstance(news, Wrote)]

    def delivered(self) -> list[Delivered]:
        return [news for news in self.news if isinstance(news, Delivered)]

    def faults(self) -> list[PartState]:
        return [news for news in self.news if isinstance(news, PartState)]

    async def rings(self, to: str = ROSA, *, key: str = "c-1", attempt: int = 1) -> Outcome:
        return await self.calls.send(Telling(key=key, attempt=attempt, number=1, address=to, text="", title="", language="es"))

    async def tells(self, text: str, to: str = ROSA, *, key: str = "n-1", attempt: int = 1, secret: bool = False) -> Outcome:
        return await self.channel.send(
            Telling(key=key, attempt=attempt, number=1, address=to, text=text, title="", language="es", secret=secret)
        )


class Street:
    """A network, its modems' folder, and gateways on them."""

    def __init__(self, network: PhoneNetwork, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.gateways: list[Gateway] = []

    def modem(
        self, name: str = "sim1", *, pin: str = "", capacity: int = 30, reports_stored: bool = True, reports_in: str = "SM"
    ) -> ModemSimulator:
        link = self.folder / name
        return self.network.modem(name, link, pin=pin, capacity=capacity, reports_stored=reports_stored, reports_in=reports_in)

    def gateway(
        self, *names: str, timing: Timing = QUICK, wait_s: float = 3.0, pin_file: Path | None = None, parts_max: int = 4,
        modems: tuple[ModemSettings, ...] = (), calls: CallTiming = QUICK_CALLS,
    ) -> Gateway:
        modems = modems or tuple(ModemSettings(name, self.folder / name, pin_file=pin_file) for name in names or ("sim1",))
        gateway = Gateway(SmsSettings(modems, parts_max=parts_max, wait_s=wait_s, timing=timing, calls=calls))
        gateway.start()
        self.gateways.append(gateway)
        return gateway


@pytest.fixture(scope="session")
def gammu() -> str:
    """The `gammu` command; a test that needs it fails without it."""
    return _installed("gammu")


@pytest.fixture(scope="session")
def gammu_smsd() -> str:
    """The `gammu-smsd` command."""
    return _installed("gammu-smsd")


def _installed(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        pytest.fail(f"no command {command}; expected the modem drivers that these tests use; apt-get install gammu gammu-smsd")
    return path


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with PhoneNetwork(Pace(times=0.01)) as network:
        street = Street(network, tmp_path)
        yield street
        for gateway in street.gateways:
            await gateway.stop()
