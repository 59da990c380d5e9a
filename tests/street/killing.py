"""A zone whose parts are processes that can be killed: gateway, broker, and the senders with their outboxes on disk."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from controller.authentication import PrivateKey
from simulators import fleet_registry
from simulators.fleet_registry import Plan
from simulators.site import Site
from tests.bench import subjects
from tests.bench.subjects import Subject
from tests.mosquitto import Mosquitto
from tests.street import outside
from tests.street.outside import Kill, Post, Verdict

CUADRA: Final = (sys.executable, "-c", "from controller.command_line import main; main()")
ZONE: Final = "z1"
NODES: Final = 200
KINDS: Final = tuple(f"k{number}" for number in range(10))
"""Each kind is an emergency of its own: every press opens its own incident and brings exactly one notice."""
HANDS: Final = 64
"""The webhook's concurrency: the most notices in flight at a kill."""
STARTS_MAX: Final = 20


async def until(so: Callable[[], object], within_s: float, every_s: float = 0.002) -> None:
    """Wait for what other processes do; they tell nobody here."""
    async with asyncio.timeout(within_s):
        while not so():  # noqa: ASYNC110 (see above)
            await asyncio.sleep(every_s)


class Patrol:
    """Whoever is told by webhook: keeps every post."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.port = 0

    async def __aenter__(self) -> "Patrol":
        app = web.Application()
        app.router.add_post("/{member}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def busy(self) -> bool:
        """Whether a connection is open: what a killed gateway had sent is read to its end before it closes."""
        return bool(self._runner.server and self._runner.server.connections)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        event: dict[str, Any] = body["event"] or {}
        incident, step = event.get("incident", ""), event.get("step", body["title"])
        key = request.headers["Idempotency-Key"]
        self.posts.append(Post(key, incident, f"{request.match_info['member']}, {incident or key}, {step}"))
        return web.Response()


class Senders:
    """The nodes, a process of their own. Each life writes a record of its own."""

    def __init__(self, folder: Path, broker_port: int, gateway_key: str, presses: int, per_s: float | None) -> None:
        self.records: list[Path] = []
        self._folder = folder
        self._presses = presses
        self._pace = [] if per_s is None else ["--per-s", str(per_s)]
        self._words = [
            "--zone", ZONE, "--nodes", str(NODES), "--blocks", str(NODES), "--kinds", ",".join(KINDS), "--gateway-key", gateway_key,
            "--port", str(broker_port), "--folder", str(folder / "disks"), "--within", "60",
        ]
        self._read = 0
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin a life: what the disks hold is sent, and the buttons that were not pressed yet are pressed."""
        self._look()
        made = self.counts["made"]
        self.records.append(self._folder / f"record-{len(self.records)}.jsonl")
        self.records[-1].touch()
        self._read = 0
        words = [*self._words, *self._pace, "--first", str(made), "--presses", str(self._presses - made), "--record", str(self.records[-1])]
        with (self._folder / "senders.log").open("ab") as log:
            self._process = subprocess.Popen([*CUADRA, "simulate", "fleet", "run", *words], stdout=log, stderr=log)

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()

    def seen(self, what: str) -> int:
        """How many presses were `made`, `saved` or `receipted`, in all lives."""
        self._look()
        if (self._process.poll() or 0) > 0:
            raise RuntimeError(f"the senders ended:\n{(self._folder / 'senders.log').read_text()[-2000:]}")
        return self.counts[what]

    @property
    def done(self) -> bool:
        """Whether every button was pressed and every press has its receipt."""
        return self.seen("made") >= self._presses and self._process.poll() == 0

    def _look(self) -> None:
        if not self.records:
            return
        with self.records[-1].open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._read += whole
        for what in ("made", "saved", "receipted"):
            self.counts[what] += data.count(b'{"what":"%s"' % what.encode(), 0, whole)


class Zone:
    """All of it, running; made by `opened`."""

    def __init__(self, folder: Path, url: str, broker: Mosquitto, patrol: Patrol, presses: int, per_s: float | None) -> None:
        self.broker = broker
        self.patrol = patrol
        self.presses = presses
        self.kills: list[Kill] = []
        self.lines: list[str] = []
        plan = Plan(ZONE, NODES, NODES, 10, KINDS, f"http://127.0.0.1:{patrol.port}/{{member}}")
        self._site = Site(folder / ZONE, ZONE, broker.port, url.replace("postgresql:", "postgresql+psycopg:"))
        fleet_registry.write(folder / "registry", [plan])
        self._site.bring_in(folder / "registry")
        public = PrivateKey.at(folder / ZONE / "gateway.key").public
        self.senders = Senders(folder, broker.port, public, presses, per_s)
        self._gateway = self._start_gateway()

    async def kill(self, who: Sequence[str], what: str, count: int) -> None:
        """`kill -9` all of these at once, as soon as so many presses were `made`, `saved` or `receipted`; start them again.

        Raises RuntimeError when nothing is under way any more.
        """
        await until(lambda: self.senders.seen(what) >= count, 60)
        if self.senders.seen("receipted") >= self.presses:
            raise RuntimeError(f"{' and '.join(who)} would be killed when all is done, which proves nothing; kill earlier")
        if "senders" in who:
            self.senders.kill()
        if "gateway" in who:
            self._gateway.kill()
        if "broker" in who:
            await asyncio.to_thread(self.broker.kill)
        counts = ", ".join(f"{self.senders.seen(what)} {what}" for what in ("made", "saved", "receipted"))
        self.lines.append(f"{' and '.join(who)} killed: {counts}, {len(self.patrol.posts)} posts")
        if "broker" in who:
            await asyncio.to_thread(self.broker.start)
        if "gateway" in who:
            await self._note_what_was_in_flight()
            self._gateway = await asyncio.to_thread(self._start_gateway)
        if "senders" in who:
            self.senders.start()

    async def _note_what_was_in_flight(self) -> None:
        await until(lambda: not self.patrol.busy, 10)
        kept = await asyncio.to_thread(outside.journal, self._site.database)
        self.kills.append(Kill(frozenset({post.key for post in self.patrol.posts} - kept.settled)))
        self.lines[-1] += f", {len(kept.presses)} in the journal, {len(kept.settled)} of {len(kept.queued)} notices settled"

    async def comes_to_rest(self, within_s: float) -> None:
        """Wait until the senders have all receipts and every notice has its outcome. Raises AssertionError with the verdict so far."""
        try:
            await until(lambda: self.senders.done, within_s, 0.05)
            await until(self._settled, within_s, 0.2)
        except TimeoutError as late:
            raise AssertionError(f"not at rest after {within_s:g} s; so far:\n{self.judged()}") from late

    def judged(self) -> Verdict:
        """What the checker says of it all."""
        safe = outside.promised(self.senders.records)
        verdict = outside.judge(safe, outside.journal(self._site.database), self.patrol.posts, self.kills, HANDS)
        self.lines.append(str(verdict))
        return verdict

    def _settled(self) -> bool:
        kept = outside.journal(self._site.database)
        return kept.queued <= kept.settled

    def verified(self) -> bool:
        """Whether `cuadra journal verify` finds the chains whole."""
        words = [*CUADRA, "journal", "verify", "--database", self._site.database, "--zone", ZONE]
        return subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def end(self) -> None:
        """Stop what runs."""
        self.senders.kill()
        self._gateway.end()

    def _start_gateway(self) -> Subject:
        """As systemd does: again, when PostgreSQL has not noticed yet that the last one is dead."""
        for start in range(1, STARTS_MAX + 1):
            try:
                return subjects.gateway(self._site, subjects.policy(KINDS, "never"), ["[webhook]", f"concurrency = {HANDS}"])
            except RuntimeError as fault:
                if "is being written by" not in str(fault) or start == STARTS_MAX:
                    raise
        raise AssertionError("unreachable")
