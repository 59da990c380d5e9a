"""One HTTP POST that tells somebody, and what its answer means: shared by the channels `cap` and `webhook`.

An address is `https://host/path#secret`. The fragment is the key of the signature and never leaves the gateway.
"""

import asyncio
import hashlib
import hmac
import logging
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

import aiohttp
from msgspec import Meta, Struct
from yarl import URL

from controller.errors import BadMessage
from gateway.channels.channel import Never, Outcome, PartState, Report, Sent, Telling, TryLater

logger = logging.getLogger(__name__)

ANSWER_BYTES_MAX: Final = 65_536
ANSWER_S_MAX: Final = 1.0
"""What an answer says beside its status is read so far and so long only for the connection's sake."""
AFTER_S_MAX: Final = 300
"""An alarm waits no longer, whatever `Retry-After` asks."""
WORTH_ANOTHER: Final = frozenset({408, 425, 429})
NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which `ssl` has no name for."""
CERTIFICATE_EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


class PostSettings(Struct, frozen=True):
    """How posts are made. total_s: from the start of a try to its status."""

    connect_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    total_s: Annotated[float, Meta(gt=0, le=120)] = 10.0
    connections: Annotated[int, Meta(ge=1, le=1000)] = 64


class Target(Struct, frozen=True):
    """Where a post goes, and the secret that signs it."""

    url: URL
    secret: bytes


def parse_target(address: str) -> Target:
    """The URL and the secret of an address. Raises BadMessage naming what is wrong, never the address."""
    bare, _, secret = address.partition("#")
    try:
        parts = urlsplit(bare)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise BadMessage("web address: not one; expected https://host/path#secret; correct it")
    return Target(URL(bare), secret.encode())


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256>` over the time, a full stop and the body."""
    return f"t={at_s},v1={hmac.new(secret, b'%d.%b' % (at_s, body), hashlib.sha256).hexdigest()}"


class Poster:
    """Posts over kept-alive connections. Follows no redirect, keeps no cookie, believes no proxy variable."""

    def __init__(self, name: str, settings: PostSettings, clock: Callable[[], float] = time.time) -> None:
        """name: the channel's, for its faults."""
        self._name = name
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._expired: set[str] = set()
        self._report: Report | None = None
        self._checked = False
        self._reported: bool | None = None

    async def post(self, telling: Telling, target: Target, body: bytes, content_type: str) -> Outcome:
        """Post `body` under the telling's key, and say what the answer means. Raises nothing."""
        headers = {"Content-Type": content_type, "Idempotency-Key": telling.key}
        if target.secret:
            headers["X-Cuadra-Signature"] = signature(target.secret, body, int(self._clock()))
        host = target.url.raw_host or ""
        try:
            outcome = await self._post(target, body, headers)
        except aiohttp.ClientConnectorCertificateError as fault:
            if getattr(fault.certificate_error, "verify_code", 0) != CERTIFICATE_EXPIRED:
                return TryLater("the server's certificate is not to be trusted; its owner must mend it")
            # Flagged, but it never mutes: everything else of it is still checked.
            self._note_expiry(telling, host, expired=True)
            return await self._again(target, body, headers, expired=True)
        except aiohttp.ClientConnectorError as fault:
            return TryLater(f"no connection ({type(fault.os_error).__name__})")
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept-alive connection that the server had closed meanwhile. The key makes a repeat harmless.
            return await self._again(target, body, headers)
        if target.url.scheme == "https":
            self._note_expiry(telling, host, expired=False)
        return outcome

    def report_to(self, report: Report) -> None:
        """Say there, from now on, when a certificate that is in use has expired and when none has any more."""
        self._report = report
        self._tell()

    def _note_expiry(self, telling: Telling, host: str, *, expired: bool) -> None:
        if telling.secret:
            # What a silent press's post has shown is no news: a fault that begins or ends with it would show that there was one.
            return
        self._checked = True
        if expired:
            if host not in self._expired:
                logger.warning("%s: a server's certificate has expired; it is told all the same", self._name)
            self._expired.add(host)
        else:
            self._expired.discard(host)
        self._tell()

    def _tell(self) -> None:
        faulty = bool(self._expired)
        # The first word of each life is said, too: an earlier one may have ended while a certificate was faulty.
        if self._report is not None and self._checked and faulty != self._reported:
            self._reported = faulty
            # The host may be somebody's own server: it is not named.
            self._report(PartState(f"{self._name}/certificate", "expired", faulty, "a server's certificate has expired"))

    async def close(self) -> None:
        """Drop the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _again(self, target: Target, body: bytes, headers: dict[str, str], *, expired: bool = False) -> Outcome:
        try:
            return await self._post(target, body, headers, expired=expired)
        except aiohttp.ClientError as fault:
            return TryLater(f"no answer ({type(fault).__name__})")

    async def _post(self, target: Target, body: bytes, headers: dict[str, str], *, expired: bool = False) -> Outcome:
        tls = self._context(expired=expired) if target.url.scheme == "https" else True
        try:
            async with self._opened().post(
                target.url, data=body, headers=headers, allow_redirects=False, ssl=tls
            ) as answer:
                outcome = self._outcome(answer.status, answer.headers.get("Retry-After"))
                await _read_out(answer)
                return outcome
        except TimeoutError:
            return TryLater(f"no answer in {self._settings.total_s:g} s")
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise
        except (aiohttp.ClientError, ValueError) as fault:
            return TryLater(f"no usable answer ({type(fault).__name__})")

    def _outcome(self, status: int, retry_after: str | None) -> Outcome:
        if 200 <= status < 300:
            return Sent(str(status))
        if 400 <= status < 500 and status not in WORTH_ANOTHER:
            return Never(f"refused (HTTP {status})")
        return TryLater(f"HTTP {status}", self._after_ms(retry_after))

    def _after_ms(self, retry_after: str | None) -> int | None:
        """`Retry-After` in either of its forms (RFC 9110, section 10.2.3); None without a usable one."""
        if retry_after is None:
            return None
        try:
            wait_s = float(retry_after) if retry_after.isdigit() else \
                parsedate_to_datetime(retry_after).timestamp() - self._clock()
        except ValueError:
            return None
        return int(1000 * min(max(wait_s, 0.001), AFTER_S_MAX))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._settings.connections, ttl_dns_cache=60, keepalive_timeout=60
                ),
                timeout=aiohttp.ClientTimeout(total=self._settings.total_s, sock_connect=self._settings.connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding"),
                headers={"User-Agent": "cuadra"},
            )
        return self._session

    def _context(self, *, expired: bool) -> ssl.SSLContext:
        """TLS with every check; expired: but that of the certificate's dates."""
        if expired not in self._contexts:
            context = ssl.create_default_context()
            if expired:
                context.verify_flags |= NO_CHECK_TIME
            self._contexts[expired] = context
        return self._contexts[expired]


async def _read_out(answer: aiohttp.ClientResponse) -> None:
    """Read a short rest, so that the connection serves again; hang up on a long or slow one: the status counts."""
    if answer.content.is_eof() or answer.content.at_eof():
        return
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            read = 0
            while read < ANSWER_BYTES_MAX and (part := await answer.content.readany()):
                read += len(part)
    except (TimeoutError, aiohttp.ClientError):
        answer.close()
