"""What an http address serves: pictures without end (MJPEG), HLS, a file, or a page that yt-dlp knows.

source = look_up(source)    asks the server, once; a source of another kind comes back as it is
source = renew(source)      what yt-dlp finds on the page now; the address that it found before may have expired
"""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from typing import Any

from vigil.capture.logins import NOBODY
from vigil.capture.sources import Kind, Source
from vigil.core.errors import VigilError
from vigil.footage.listing import local

WAIT_S = 10.0  # for a server to answer
PLAYLIST_BYTES = 1 << 20
QUALITY = 720  # px, the greatest height that is asked of a page
AGENT = "vigil"
WRONG_LOGIN, NO_SUCH_PATH = (401, 403), (404, 410)  # codes of a server's answers
REFUSALS = (*WRONG_LOGIN, *NO_SUCH_PATH)


class AddressRefused(VigilError):
    """The server answers and refuses, as with a wrong password or an unknown path, so that waiting hardly helps."""


def look_up(source: Source) -> Source:
    """Finds out what an http address serves. VigilError says in one line why that cannot be known."""
    if source.is_looked_up:
        return source
    try:
        with open_address(source) as answer:
            media = answer.headers.get_content_type()
            path = urllib.parse.urlsplit(answer.url).path
            kind = _kind(media, path)
            if kind == "hls":
                kind = _kind_of_playlist(answer, source)
    except urllib.error.HTTPError as error:
        kind_of_error = AddressRefused if error.code in REFUSALS else VigilError
        raise kind_of_error(f"{source.address}: {explain_status(error.code, str(error.reason))}.") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise VigilError(
            f"{source.address}: no answer ({source.hide_secrets(str(reason))}). Is it on? A camera that may be off "
            "when vigil starts belongs in cameras.yaml."
        ) from None
    if kind == "page":
        return renew(replace(source, page=source.location))
    return replace(source, kind=kind)


def look_up_cameras(sources: Sequence[Source]) -> list[Source]:
    """Looks up all sources. A camera of a file that cannot be looked up now is `unreached`, and stops no other.

    VigilError where a source is of no file of cameras, or the others are recordings: with these it is not known whether
    it is one too.
    """
    looked_up, first_error = list[Source](), None
    for source in sources:
        try:
            looked_up.append(look_up(source))
        except VigilError as error:
            if source.entry is None:
                raise
            looked_up.append(replace(source, kind="unreached"))
            first_error = first_error or error
    if first_error is not None and not all(source.is_live for source in looked_up):
        raise first_error
    return looked_up


def renew(source: Source) -> Source:
    """Asks yt-dlp where the stream of a page is now; a source that is from no page comes back as it is."""
    if not source.page:
        return source
    from vigil.footage.listing.fetch import SiteAccess, find_stream

    try:
        stream = find_stream(source.page, SiteAccess(QUALITY, 0, None))
    except VigilError as error:  # whose advice is about datasets
        reason = str(error).removeprefix(f"{source.page}: ").partition("; to try again")[0]
        raise VigilError(f"{source.address}: no stream on this page: {source.hide_secrets(reason)}.") from None
    is_playlist = stream.protocol.startswith("m3u8")
    kind: Kind = "page" if stream.is_live else "playlist" if is_playlist else "download"
    return replace(source, kind=kind, location=stream.url, headers=tuple(stream.headers.items()))


def open_address(source: Source, headers: Mapping[str, str] | None = None) -> Any:
    """Opens an http address for reading, with the source's login."""
    opener = urllib.request.build_opener()
    login = source.login
    if login.user or login.password:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, source.location, login.user, login.password)
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(passwords))
        opener.add_handler(urllib.request.HTTPDigestAuthHandler(passwords))
    request = urllib.request.Request(  # noqa: S310  sources.py lets http and https through, and nothing else
        source.location, headers={"User-Agent": AGENT, **dict(source.headers), **(headers or {})}
    )
    return opener.open(request, timeout=WAIT_S)


def explain_status(code: int, reason: str) -> str:
    """Says what a server's refusal means for who named the address."""
    if code in WRONG_LOGIN:
        return f"wrong user or password, or none (the server answers {code})"
    if code in NO_SUCH_PATH:
        return f"the server knows no such path (it answers {code})"
    return f"the server answers {code} ({reason})"


def _kind(media: str, path: str) -> Kind:
    if media.startswith("multipart/"):
        return "mjpeg"
    if "mpegurl" in media or path.lower().endswith(".m3u8"):
        return "hls"
    if media in ("text/html", "application/xhtml+xml"):
        return "page"
    if media.startswith("video/") or local.is_video(path) or media == "application/octet-stream":
        return "download"
    return "page"


def _at(source: Source, address: str) -> Source:
    """The source at an address that it leads to; its login is for its own server alone."""
    server, other_server = (urllib.parse.urlsplit(each)[:2] for each in (source.location, address))
    return replace(source, location=address, login=source.login if server == other_server else NOBODY)


def _kind_of_playlist(answer: HTTPResponse, source: Source) -> Kind:
    """Says whether an HLS playlist, or the first that it leads to, has an end."""
    text = answer.read(PLAYLIST_BYTES).decode("utf-8", errors="replace")
    variant = re.search(r"^#EXT-X-STREAM-INF.*\n(?:#.*\n)*([^#\s].*)$", text, re.MULTILINE)
    if variant:
        address = urllib.parse.urljoin(answer.url, variant[1].strip())
        if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
            raise VigilError(f"{source.address}: a playlist that leads to something other than http.")
        with open_address(_at(source, address)) as inner:
            text = inner.read(PLAYLIST_BYTES).decode("utf-8", errors="replace")
    return "playlist" if "#EXT-X-ENDLIST" in text else "hls"
