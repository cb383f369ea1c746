"""Who may see the page: on this machine everybody, from elsewhere whoever has the token.

Programs send it as `Authorization: Bearer TOKEN`. A browser asks for it once, and then keeps a signed cookie that no
script can read; another token ends all sessions. A page of another site cannot use either: requests that change
something, and the connection of the live page, must come from the page itself, and without a token only the names of
this machine are answered to, so that no name of elsewhere can be pointed at it.
"""

import hashlib
import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigil.core.counts import count
from vigil.core.errors import VigilError

TOKEN_VARIABLE = "VIGIL_TOKEN"  # noqa: S105  # its name
TOKEN_LENGTH = 16  # characters at least
COOKIE = "vigil_session"
SESSION_S = 30 * 86400
OPEN_PATHS = ("/login", "/static/")  # what whoever has no token sees
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer, forms of the page itself would have no origin
    "cache-control": "no-store",
}


class Access:
    """The rule of one page."""

    def __init__(self, host: str, token: str | None) -> None:
        """VigilError where the page would leave the machine without a good token. `host` is what it listens on."""
        if token is None and not is_loopback(host):
            raise VigilError(
                f"--serve {host}: others can reach that, so it takes a token. Put one of {TOKEN_LENGTH} characters or "
                f"more into the environment as {TOKEN_VARIABLE} (`openssl rand -hex 24` makes one), or into a file "
                "and name that as --token."
            )
        if token is not None and len(token) < TOKEN_LENGTH:
            raise VigilError(f"--serve: a token of {count(len(token), 'character')}; expected {TOKEN_LENGTH} or more.")
        self._token = token
        self._signer = TimestampSigner(token, salt="session of the live page") if token is not None else None

    @property
    def takes_token(self) -> bool:
        return self._token is not None

    def is_token(self, text: str) -> bool:
        """Whether this is the token; takes as long for any other."""
        digests = [hashlib.sha256(word.encode()).digest() for word in (text, self._token or "")]
        return self.takes_token and hmac.compare_digest(*digests)

    def make_cookie(self) -> str:
        """Returns the value of the cookie of a new session."""
        assert self._signer is not None
        return self._signer.sign("open").decode()

    def allows(self, headers: Headers) -> bool:
        """Whether a request with these headers may see everything."""
        if self._signer is None:
            return is_loopback(_host_name(headers.get("host", "")))
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(token.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
            return cookie is not None and bool(self._signer.unsign(cookie.value, max_age=SESSION_S))
        except (BadSignature, CookieError):
            return False


class AccessMiddleware:
    """Turns away what `Access` does not allow, and sends the headers by which a browser is careful."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers, is_page = Headers(scope=scope), scope["type"] == "http"
        changes = not is_page or scope["method"] not in {"GET", "HEAD"}
        answer: Response | None = None
        if changes and not _is_same_origin(headers):
            answer = JSONResponse({"detail": "from a page of another site"}, 403)
        elif not self._access.allows(headers) and not self._is_open(scope["path"]):
            answer = self._turn_away(headers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if answer is None:
            await self._app(scope, receive, send_with_headers)
        elif is_page:
            await answer(scope, receive, send_with_headers)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4401})  # before it is accepted: the browser sees a 403

    def _is_open(self, path: str) -> bool:
        return self._access.takes_token and path.startswith(OPEN_PATHS)

    def _turn_away(self, headers: Headers) -> Response:
        if not self._access.takes_token:
            return JSONResponse({"detail": "this page is only for this machine: open it as http://127.0.0.1"}, 403)
        if "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return JSONResponse({"detail": "no token"}, 401, {"www-authenticate": "Bearer"})


def is_loopback(host: str) -> bool:
    """Whether this name or address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_same_origin(headers: Headers) -> bool:
    """Programs send no origin; a browser does, and it has to be the page's own."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
