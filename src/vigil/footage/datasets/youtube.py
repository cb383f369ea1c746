"""Videos from the web, by yt-dlp: YouTube and whatever else it knows, single ones and playlists.

    videos:
      - {url: "https://www.youtube.com/watch?v=...", label: fight, split: test, spans: [[3.5, 9]]}
      - {playlist: "https://www.youtube.com/playlist?list=...", label: normal}

What is fetched stays in the store under the video's own id, so that it is never fetched twice; what was cut off goes on
where it stopped. A video that is gone is rejected; a site that asks for less haste stops the run.
"""

import hashlib
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from vigil.core import settings
from vigil.core.errors import Rejected, VigilError
from vigil.core.params import Frozen
from vigil.engine.per_video import Runtime
from vigil.engine.store import Entry, Store, link
from vigil.footage.listing.annotations import label_of, parse_seconds
from vigil.footage.listing.fetch import SiteAccess, fetch, identify, list_entries
from vigil.footage.listing.names import slug
from vigil.footage.listing.records import Listing, Reject, Row, Source
from vigil.footage.video.reading import probe
from vigil.footage.video_table import NORMAL

PAUSE_S = 0.5  # between the pages that lead to one video, at most
ADDRESS = r"^https?://\S+$"


class Video(Frozen):
    """One video or one playlist, and what is known about it."""

    url: Annotated[str, Field(pattern=ADDRESS)] | None = None
    playlist: Annotated[str, Field(pattern=ADDRESS)] | None = None
    label: str
    split: Literal["", "train", "val", "test"] = ""
    source: str = ""  # the group that no split may divide; empty: each video its own
    spans: tuple[tuple[float, float], ...] = ()  # abnormal part, seconds

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if (self.url is None) == (self.playlist is None):
            raise ValueError("expected one of url and playlist")
        if self.spans and (self.playlist or label_of(self.label) == NORMAL):
            raise ValueError("spans belong to one abnormal video")
        if any(not 0 <= start < stop for start, stop in self.spans):
            raise ValueError("a span ends before it starts")
        return self


class Params(Frozen):
    videos: Annotated[tuple[Video, ...], Field(min_length=1)]
    quality: Annotated[int, Field(ge=144)] = 720  # px, the greatest height that is fetched
    sleep_s: Annotated[float, Field(ge=0)] = 5.0  # at least this between two videos, at most twice as much
    cookies: str | None = None  # cookies.txt for what needs an account; keep it out of git
    licence: str = ""  # of videos that tell none


@dataclass(frozen=True)
class VideoAddress:
    """Says where a video is to be fetched from, and under which name it is stored."""

    url: str
    playlist: str  # that it is from; empty for a video named on its own
    key: str  # "<site>:<id>", or the URL where no site is known
    stem: str
    group: str  # source group, empty where the site tells none


def sources(name: str, params: Params) -> list[Source]:
    """Playlists are looked up; single videos are taken as they are written, without a network."""
    source_by_key: dict[str, tuple[Source, Video]] = {}
    for video in params.videos:
        for url in [video.url] if video.url else list_entries(str(video.playlist), _site_access(name, params)):
            path = f"{url} {video.playlist}" if video.playlist else str(url)
            key = parse_address(path).key
            first = source_by_key.setdefault(key, (Source(name, path, None, _digest(key)), video))[1]
            if label_of(first.label) != label_of(video.label):
                clash = f"{url} is named as {first.label} and as {video.label}. Name it once."
                raise VigilError(f"params.yaml [datasets.{name}]: {clash}")
    return sorted(source for source, _ in source_by_key.values())


def videos(name: str, params: Params, sources: list[Source], raw: Path, _truth: Path, _runtime: Runtime) -> Listing:
    params_by_address = {video.url or video.playlist: video for video in params.videos}
    addressed_sources = [(source, parse_address(source.path)) for source in sources]
    if unlisted := {address.playlist or address.url for _, address in addressed_sources} - params_by_address.keys():
        raise VigilError(f"data/sources.csv: {name}: {min(unlisted)} is not in params.yaml. Run `vigil sync`.")
    keys = {address.key for _, address in addressed_sources}
    if unsynced := {video.url for video in params.videos if video.url and parse_address(video.url).key not in keys}:
        raise VigilError(f"data/sources.csv: {name}: {min(unsynced)} is not there. Run `vigil sync`.")
    rows: list[Row] = []
    rejects: list[Reject] = []
    store, in_haste = Store(), False
    with store.in_use():
        for number, (source, address) in enumerate(addressed_sources, 1):
            origin, store_key = f"{name}/{source.path}", _digest(f"youtube {address.key} {params.quality}")
            entry = store.find(store_key)
            is_fresh = entry is None
            if entry is None:
                time.sleep(random.uniform(params.sleep_s, 2 * params.sleep_s) if in_haste else 0)
                print(f"download: {name}: {number} of {len(addressed_sources)}: {address.url}", file=sys.stderr)
                in_haste = True
                try:
                    entry = _fetch(store, store_key, address, _site_access(name, params))
                except Rejected as error:
                    rejects.append(Reject(origin, str(error)))
                    continue
            file = raw / name / f"{address.stem}{entry.files[0].suffix}"
            link(entry.files[0], file)
            video, described = f"{name}/{address.stem}", params_by_address[address.playlist or address.url]
            rows.append(
                Row(
                    video,
                    file.as_posix(),
                    described.source or address.group or video,
                    label_of(described.label),
                    tuple((parse_seconds(start), parse_seconds(stop)) for start, stop in described.spans),
                    described.split,
                    address.url,
                    entry.value["licence"] or params.licence,
                    origin=origin,
                    grouped_by="params.yaml" if described.source else "file",
                    fresh=is_fresh,
                )
            )
    return Listing(rows, rejects)


def parse_address(path: str) -> VideoAddress:
    """Reads the path of a source: `<url>`, or `<url> <playlist>`."""
    url, _, playlist = path.partition(" ")
    site_and_id = identify(url)
    if site_and_id is None:
        tail = slug(PurePosixPath(urlsplit(url).path).stem)
        return VideoAddress(url, playlist, url, f"{tail}-{_digest(url)[:8]}", "")
    site, number = site_and_id
    plain = number if re.fullmatch(r"[\w-]{1,80}", number, re.ASCII) else f"{slug(number)}-{_digest(number)[:8]}"
    group = f"yt-{number}" if site == "Youtube" else f"{site.lower()}-{number}"
    return VideoAddress(url, playlist, f"{site}:{number}", f"{site.lower()}-{plain}", group)


def _fetch(store: Store, key: str, address: VideoAddress, access: SiteAccess) -> Entry:
    """Fetches a video into the store. What arrives damaged does not stay, so that the next run fetches it anew."""
    folder = settings.home() / "fetching" / key
    folder.mkdir(parents=True, exist_ok=True)
    fetched = fetch(address.url, folder, access)
    try:
        if losses := probe(fetched.path).damage:
            raise Rejected(f"{losses}: fetch it again")
    except Rejected as error:
        fetched.path.unlink()
        raise Rejected(f"what came is no sound video: {error}") from None
    with store.new_folder() as result:
        file = fetched.path.rename(result / f"video{fetched.path.suffix}")
        entry = store.add(key, result, [file.name], {"licence": fetched.licence})
    for leftover in folder.iterdir():
        leftover.unlink()
    folder.rmdir()
    return entry


def _site_access(name: str, params: Params) -> SiteAccess:
    cookies = settings.root() / Path(params.cookies).expanduser() if params.cookies else None
    if cookies and not cookies.is_file():
        raise VigilError(f"params.yaml [datasets.{name}]: cookies = {params.cookies!r}: no such file.")
    return SiteAccess(params.quality, min(params.sleep_s, PAUSE_S), cookies)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
