"""One address, one file: yt-dlp without its habits (no cache or settings in the home folder, no ffmpeg, no haste)."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import Rejected, VigilError

# The best picture that needs no ffmpeg to be put together; without this the choice silently falls to 360 px.
FORMAT = "bv*[height<={0}][vcodec^=avc1][protocol^=http]/b[height<={0}][ext=mp4]/bv*[height<={0}]/b[height<={0}]/b"
HASTE = re.compile(r"not a bot|rate.?limit|HTTP Error 429|too many requests|try again later", re.IGNORECASE)
GONE = re.compile(
    r"HTTP Error (404|410)|has been removed|video unavailable|private video|no longer available", re.IGNORECASE
)


@dataclass(frozen=True)
class SiteAccess:
    """How much is asked of a site, how slowly, and as whom."""

    quality: int  # px, the greatest height that is fetched
    pause_s: float  # between the pages that lead to one video
    cookies: Path | None


@dataclass(frozen=True)
class FetchedVideo:
    path: Path
    licence: str


@dataclass(frozen=True)
class Stream:
    """Says where the video of a page can be read now; the address expires."""

    url: str
    protocol: str
    headers: Mapping[str, str]
    is_live: bool


class _Quiet:
    """Takes what yt-dlp would print and drops it: its exceptions say it too."""

    def debug(self, _message: str) -> None: ...
    def warning(self, _message: str) -> None: ...
    def error(self, _message: str) -> None: ...


def identify(url: str) -> tuple[str, str] | None:
    """Returns the site and the site's own id of a video, without the network; None where the address tells neither."""
    from yt_dlp.extractor import gen_extractor_classes

    for site in gen_extractor_classes():
        if site.ie_key() != "Generic" and site.suitable(url):
            number = site.get_temp_id(url)
            return (site.ie_key(), number) if number else None
    return None


def list_entries(playlist: str, access: SiteAccess) -> list[str]:
    """Lists the addresses of a playlist's videos, in order, by one look at it."""
    try:
        with _session(playlist, {"extract_flat": "in_playlist"}, access) as session:
            addresses = list(_walk_addresses(session.extract_info(playlist, download=False) or {}))
    except Rejected as error:
        raise VigilError(f"{playlist}: {error}") from None
    if not addresses:
        raise VigilError(f"{playlist}: no videos in it. Is it a playlist? A single video goes under `url`.")
    return addresses


def fetch(url: str, folder: Path, access: SiteAccess) -> FetchedVideo:
    """Fetches one video into `folder`, going on with what an earlier try left there."""
    options = {
        "format": FORMAT.format(access.quality),
        "paths": {"home": str(folder.absolute())},
        "outtmpl": "video.%(ext)s",
        "playlist_items": "0",  # a playlist is no video
        "fixup": "never",
        "match_filter": lambda info, **_: "it is live" if info.get("is_live") else None,
    }
    with _session(url, options, access) as session:
        info = session.extract_info(url) or {}
    if info.get("_type") == "playlist":
        raise Rejected("a playlist, not a video; name it under `playlist`")
    if info.get("is_live"):
        raise Rejected("a live stream has no end; `vigil detect` can watch it")
    files = [Path(download["filepath"]) for download in info.get("requested_downloads", [])]
    if not files or not files[0].exists():
        raise Rejected("nothing came; fetch it by hand and use a dataset of kind `folder`")
    return FetchedVideo(files[0], str(info.get("license") or ""))


def find_stream(url: str, access: SiteAccess) -> Stream:
    """Finds where the one video of a page can be read, live or not, without fetching it."""
    options = {"format": FORMAT.format(access.quality), "playlist_items": "0"}
    with _session(url, options, access) as session:
        info = session.extract_info(url, download=False) or {}
    if info.get("_type") == "playlist" or not info.get("url"):
        raise Rejected(f"{url}: no video, or more than one; name the page of a single video")
    return Stream(info["url"], str(info.get("protocol")), info.get("http_headers") or {}, bool(info.get("is_live")))


def _translate_error(url: str, error: Exception) -> VigilError:
    """Returns Rejected when this video alone fails; a plain VigilError where going on would make matters worse."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
    text = re.sub(r"\s*\(caused by .*|; please report this issue.*|^\[[\w:+-]+\]\s*", "", text, flags=re.DOTALL)
    message = " ".join(text.split()).rstrip(".")[:200]
    if HASTE.search(text):
        return VigilError(
            f"{url}: the site asks for less haste ({message}). Wait an hour, raise `sleep_s` or give `cookies`, and "
            "run again: what is here is not fetched twice."
        )
    if GONE.search(text):
        return Rejected(f"gone: {message}; take it out of `videos`, or correct its address")
    return Rejected(f"cannot be fetched: {message}; to try again: dvc repro --force download")


def _walk_addresses(info: Mapping[str, Any]) -> Iterable[str]:
    for entry in info.get("entries") or ():
        if entry.get("entries"):  # the tabs of a channel
            yield from _walk_addresses(entry)
        elif entry.get("url"):
            yield entry["url"]


@contextmanager
def _session(url: str, options: Mapping[str, Any], access: SiteAccess) -> Iterator[Any]:
    """Yields a YoutubeDL that works on a copy of the cookies, for it writes them back. Its errors become ours."""
    os.environ.setdefault("YTDLP_NO_PLUGINS", "1")
    os.environ.setdefault("DENO_DIR", str(settings.home() / "deno"))
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    defaults: dict[str, Any] = {
        "cachedir": False,
        "logger": _Quiet(),
        "quiet": True,
        "noprogress": True,
        "color": "no_color",
        "socket_timeout": 30,
        "retries": 3,
        "fragment_retries": 3,
        "sleep_interval_requests": access.pause_s,
    }
    with tempfile.TemporaryDirectory() as folder:
        jar = Path(folder) / "cookies.txt"
        if access.cookies:
            defaults["cookiefile"] = str(shutil.copyfile(access.cookies, jar))
        try:
            with YoutubeDL({**defaults, **options}) as session:
                yield session
        except YoutubeDLError as error:
            raise _translate_error(url, error) from None
