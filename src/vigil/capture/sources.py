"""What the words after `vigil detect` mean.

parse_source(text, name)    one source, nothing asked of any network
expand_sources(texts)       globs, folders and lists of them, each source with a name of its own
project_cameras()           the cameras of the project's file, which words may name; see camera_file.py

A file, a folder of images and standard input (`-`) have an end: see recordings.py. A camera number and rtsp:// have
none: see live/camera.py. What an http address is, its server knows: see addresses.py.
"""

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from vigil.capture.camera_file import FILE, CameraEntry, load_cameras
from vigil.capture.logins import NOBODY, Login, login_from_environment, show_address, split_login
from vigil.core import settings
from vigil.core.counts import count
from vigil.core.errors import VigilError, near_miss
from vigil.footage.listing import local
from vigil.footage.listing.names import shortest_names, slug
from vigil.footage.video.images import SUFFIXES, is_folder

Kind = Literal[
    "file", "images", "stdin", "webcam", "rtsp", "http", "mjpeg", "hls", "page", "download", "playlist", "unreached"
]
LIVE: frozenset[Kind] = frozenset({"webcam", "rtsp", "mjpeg", "hls", "page", "unreached"})
UNKNOWN: frozenset[Kind] = frozenset({"http", "unreached"})  # nobody has been able to say what is served there
SCHEMES: Mapping[str, Kind] = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}
STANDARD_INPUT = "-"
PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Source:
    """Where frames come from. `address` can be shown to anybody: the login is kept apart from it.

    Kinds: `http` is an address that nobody has looked up yet, `page` a page with a live stream, `download` a file on a
    server, `playlist` a finished HLS recording, `unreached` a camera of a file whose address has not answered, or has
    refused: it is looked up at every try to connect.
    """

    kind: Kind
    name: str
    address: str
    login: Login = field(default=NOBODY, repr=False)
    location: str = field(default="", repr=False)  # the address with what may be secret in it, but without the login
    page: str = field(default="", repr=False)  # where yt-dlp finds `location`, which expires
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # that a page wants sent
    entry: CameraEntry | None = field(default=None, repr=False)  # of a camera in a file of cameras

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.kind in LIVE

    @property
    def is_looked_up(self) -> bool:
        return self.kind not in UNKNOWN

    def secret_address(self) -> str:
        """Returns the address with the login in it: for opening it, not for showing it."""
        scheme, separator, rest = self.location.partition("://")
        return f"{scheme}://{self.login.in_address()}{rest}" if separator else self.location

    def hide_secrets(self, text: str) -> str:
        """Takes out of a text what must not be shown of this source."""
        for secret in (self.secret_address(), self.location, self.page):
            if "://" in secret:
                text = text.replace(secret, self.address)
        return self.login.hide_in(text)


def project_cameras() -> Mapping[str, CameraEntry]:
    """The cameras of the project's own file; empty where it has none."""
    path = settings.root() / FILE
    return load_cameras(path) if path.exists() else {}


def parse_source(text: str, name: str | None = None, cameras: Mapping[str, CameraEntry] | None = None) -> Source:
    """Understands one word: a camera of `cameras`, `-`, a camera number, an address, a file or a folder of images.

    VigilError says what is wrong with it, without a password that it may hold. Whether a path exists is looked at,
    whether an address answers is not.
    """
    cameras = project_cameras() if cameras is None else cameras
    if (entry := cameras.get(text)) is not None:
        return _parse_camera(entry, name or text)
    if text == STANDARD_INPUT:
        return Source("stdin", name or "stdin", "standard input", location=STANDARD_INPUT)
    if text.isascii() and text.isdecimal():
        return Source("webcam", name or f"webcam-{int(text)}", f"webcam {int(text)}", location=str(int(text)))
    if "://" in text:
        return _parse_address(text, name)
    return _parse_path(text, name, cameras)


def expand_sources(texts: Iterable[str], cameras: Mapping[str, CameraEntry] | None = None) -> list[Source]:
    """Understands all words, in order; globs and folders become what they hold. What is named twice comes once."""
    cameras = project_cameras() if cameras is None else cameras
    sources: dict[tuple[str, str, Login, str | None], Source] = {}
    for text in texts:
        for source in _expand(text, cameras):
            path = str(Path(source.location).resolve()) if source.kind in ("file", "images") else source.location
            sources.setdefault((source.kind, path, source.login, source.name if source.entry else None), source)
    if not sources:
        raise VigilError("no source: name a file, a folder, a camera number, an rtsp:// or http:// address, or -.")
    return _name_apart(list(sources.values()))


def _expand(text: str, cameras: Mapping[str, CameraEntry]) -> list[Source]:
    path = Path(text).expanduser()
    is_path = (
        bool(text) and text not in cameras and text != STANDARD_INPUT and "://" not in text and not text.isdecimal()
    )
    if is_path and is_folder(path):
        sources = _list_folder(path)
        if not sources:
            raise VigilError(f"{text}: a folder without videos and without images.")
        return sources
    if is_path and PATTERN.search(text) and not path.exists():
        matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
        sources = [
            source for match in matches for source in (_list_folder(match) if match.is_dir() else _list_file(match))
        ]
        if not sources:
            matched = f"matches {count(len(matches), 'file')} and no video" if matches else "nothing matches"
            raise VigilError(f"{text}: {matched}.{_similar(path)}")
        return sources
    return [parse_source(text, None, cameras)]


def _parse_camera(entry: CameraEntry, name: str) -> Source:
    """A camera of a file, whose name it keeps."""
    source = parse_source(entry.source, name, {})
    login = Login(entry.user or source.login.user, entry.password or source.login.password)
    kind = entry.kind or source.kind
    return replace(source, kind=kind, login=login_from_environment(name) or login, entry=entry)


def _parse_address(text: str, name: str | None) -> Source:
    scheme, _, rest = text.partition("://")
    shown = show_address(text)
    kind = SCHEMES.get(scheme.lower())
    if kind is None:
        raise VigilError(f"{shown}: '{scheme}' is not read. Known: {', '.join(SCHEMES)}.{near_miss(scheme, SCHEMES)}")
    login, plain = split_login(rest)
    location = f"{scheme.lower()}://{plain}"
    try:
        parts = urlsplit(location)
        port = f"-{parts.port}" if parts.port else ""
    except ValueError:
        raise VigilError(f"{shown}: not a valid address (its port is no number up to 65535).") from None
    if not parts.hostname:
        raise VigilError(f"{shown}: an address without a host; expected {scheme}://HOST/PATH.")
    name = name or slug(f"{parts.hostname}{port}{parts.path}")
    return Source(kind, name, shown, login_from_environment(name) or login, location)


def _parse_path(text: str, name: str | None, cameras: Mapping[str, CameraEntry]) -> Source:
    path = Path(text).expanduser()
    try:
        exists = bool(text) and path.exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        hint = near_miss(text, cameras) or _similar(path)
        raise VigilError(f"{text!r}: no such file, folder or camera.{hint}")
    if is_folder(path):
        if not _has_images(path):
            raise VigilError(f"{text}: a folder without images; as a folder of videos it is many sources, not one.")
        return Source("images", name or slug(path.resolve().name), text, location=str(path))
    return Source("file", name or slug(path.stem), text, location=str(path))


def _list_folder(folder: Path) -> list[Source]:
    """Lists the videos below a folder, and the folders of images, itself among them."""
    visible = local.list_visible(folder)
    videos = [path for path in visible if local.is_video(path)]
    image_folders = {str(Path(path).parent) for path in visible if local.suffix(path) in SUFFIXES}
    return [
        *(Source("images", "", str(folder / path), location=str(folder / path)) for path in sorted(image_folders)),
        *(Source("file", "", str(folder / path), location=str(folder / path)) for path in videos),
    ]


def _list_file(file: Path) -> list[Source]:
    return [Source("file", "", str(file), location=str(file))] if local.is_video(file.name) else []


def _has_images(folder: Path) -> bool:
    try:
        return any(file.suffix.lower() in SUFFIXES for file in folder.iterdir())
    except OSError as error:
        raise VigilError(f"{folder}: cannot be listed: {error.strerror}.") from None


def _name_apart(sources: Sequence[Source]) -> list[Source]:
    """Gives each source a name of its own: files after what tells their paths apart, others with a number."""
    files = [source for source in sources if source.kind in ("file", "images") and source.entry is None]
    paths = [str(Path(source.location).resolve()) for source in files]
    by_path = shortest_names(paths)
    used_names = {source.name.casefold() for source in sources if source.entry is not None}
    named = []
    for source in sources:
        name = source.name
        if source.entry is not None:
            named.append(source)
            continue
        if source.kind in ("file", "images"):
            name = by_path[str(Path(source.location).resolve())]
        number = 2
        base = name
        while name.casefold() in used_names:
            name, number = f"{base}-{number}", number + 1
        used_names.add(name.casefold())
        named.append(replace(source, name=name))
    return named


def _similar(path: Path) -> str:
    """Says what there is beside a path that does not exist."""
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder, path = folder.parent, folder
    try:
        names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return ""
    return near_miss(path.name, names)
