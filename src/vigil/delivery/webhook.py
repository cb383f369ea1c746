"""Webhooks: an alert is posted as JSON, signed, with a key by which the receiver knows what it has had already.

Signed as Standard Webhooks (standardwebhooks.com) says, so its libraries check it in any language:

    webhook-id          the alert's id and revision; also as Idempotency-Key
    webhook-timestamp   seconds since 1970 of this attempt
    webhook-signature   v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))

An answer of 2xx is taken for a receipt. No answer, 408, 429, 502, 503 and 504 say that nobody is there: everything for
this receiver waits. Any other 5xx says that this alert makes trouble: those of its camera wait. What else is answered,
such as 400 or a redirect, says that it will not be taken: it is parked with the reason.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from vigil.core.errors import VigilError
from vigil.delivery.addresses import short_name, split_url
from vigil.delivery.deliveries import Delivery
from vigil.delivery.target import Failed, Interrupted, Refused, Unreachable

if TYPE_CHECKING:
    import httpx

SECRET_VARIABLE = "VIGIL_WEBHOOK_SECRET"  # noqa: S105  # its name
SECRET_PREFIX = "whsec_"  # noqa: S105  # of a secret in base64, as Standard Webhooks writes it
PORTS = {"https": 443, "http": 80}
TIMEOUT_S = 10.0  # s for one attempt, from the first byte to the last
NOBODY_THERE = frozenset({408, 429, 502, 503, 504})
EXCERPT = 120  # characters of an answer that are kept as the reason
ANSWER_BYTES = 4096  # of an answer that are read


class Webhook:
    """A target that is posted to."""

    def __init__(self, url: str, secret: str | None, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._parts = split_url(url, PORTS, "--webhook")
        self._key = _signing_key(secret)
        self._timeout_s = timeout_s
        self._runner: asyncio.Runner | None = None
        self._client: httpx.AsyncClient | None = None
        self._request: asyncio.Task[None] | None = None
        self._is_interrupted = False

    @property
    def name(self) -> str:
        return short_name("webhook", self._parts)

    def check(self) -> None:
        """There is nothing on this machine that could be missing."""

    def is_empty(self) -> bool:
        return False

    def send(self, delivery: Delivery) -> None:
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            self._runner.run(self._post(delivery))
        except asyncio.CancelledError:
            raise Interrupted from None

    def idle(self) -> None:
        """Nobody is asked anything between two alerts."""

    def interrupt(self) -> None:
        self._is_interrupted = True
        if self._runner is not None and self._request is not None:
            self._runner.get_loop().call_soon_threadsafe(self._request.cancel)

    def close(self) -> None:
        if self._runner is not None:
            if self._client is not None:
                self._runner.run(self._client.aclose())
            self._runner.close()

    async def _post(self, delivery: Delivery) -> None:
        import httpx

        self._request = asyncio.current_task()
        if self._is_interrupted:
            raise asyncio.CancelledError
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False)
        body = delivery.body.encode()
        headers = sign(self._key, delivery.key, body, int(time.time()))
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                    if not response.is_success:
                        _raise_refusal(response, await _read_excerpt(response))
        except TimeoutError:
            raise Unreachable(f"no answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"cannot be reached: {str(error) or type(error).__name__}") from None


def sign(key: bytes, message_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Returns the headers of a signed post."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "user-agent": f"vigil/{version('vigil')}",
        "idempotency-key": message_id,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def retry_after_s(text: str | None, now: datetime) -> float:
    """Returns the seconds that a header Retry-After asks for, as a number or as a date; 0 where it asks for nothing."""
    if not text:
        return 0.0
    try:
        seconds = float(text) if text.strip()[:1].isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):  # neither; or a date without a zone
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _signing_key(secret: str | None) -> bytes:
    if secret is None:
        raise VigilError(
            f"--webhook: no secret to sign with. Put one into the environment as {SECRET_VARIABLE}, or into a file and "
            "name that as --webhook-secret."
        )
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise VigilError(f"--webhook: the secret begins with {SECRET_PREFIX} and is not base64 after that.") from None


async def _read_excerpt(response: "httpx.Response") -> str:
    """The beginning of an answer in one line."""
    data = b""
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) >= ANSWER_BYTES:
            break
    text = " ".join(data[:ANSWER_BYTES].decode(errors="replace").split())
    return "".join(letter for letter in text if letter.isprintable())[:EXCERPT]


def _raise_refusal(response: "httpx.Response", excerpt: str) -> None:
    code = response.status_code
    reason = f"answers {code} {response.reason_phrase}".strip() + (f": {excerpt}" if excerpt else "")
    if code in NOBODY_THERE:
        raise Unreachable(reason, retry_after_s(response.headers.get("retry-after"), datetime.now(UTC)))
    raise Failed(reason) if code >= 500 else Refused(reason)
