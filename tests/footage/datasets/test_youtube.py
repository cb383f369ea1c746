"""Videos from the web, with a site on this machine in the place of the web."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpora
import pytest
import videos
from web import Site

from vigil.core.errors import VigilError
from vigil.engine.per_video import Runtime
from vigil.footage.datasets import youtube
from vigil.footage.listing.records import Listing

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for number, name in enumerate(("a/clip.mp4", "b/clip.mp4", "long.mp4")):
        corpora.clip(tmp_path / "site" / name, 30 * number)
    with Site(tmp_path / "site") as running:
        yield running


def read(*entries: dict[str, Any], **keys: Any) -> youtube.Params:
    return youtube.Params.read({"videos": list(entries), "sleep_s": 0, **keys}, "here")


def bring(params: youtube.Params) -> Listing:
    listed = youtube.sources("web", params)
    return youtube.videos("web", params, listed, Path("raw"), Path("truth"), SERIAL)


def test_single_videos_need_no_network_to_be_listed(site: Site) -> None:
    params = read(
        {"url": site.url("a/clip.mp4"), "label": "normal"}, {"url": "https://youtu.be/7q6KJoSgxmY", "label": "x"}
    )
    assert [source.path for source in youtube.sources("web", params)] == [site.url("a/clip.mp4"), params.videos[1].url]
    assert site.asked == []


def test_a_video_that_a_site_numbers_is_known_by_that_number() -> None:
    first, second = (
        youtube.parse_address(f"https://{url}")
        for url in ("www.youtube.com/watch?v=-9z5dwsPS-c", "youtu.be/-9z5dwsPS-c?t=9")
    )
    assert first.key == second.key == "Youtube:-9z5dwsPS-c"
    assert first.stem == second.stem == "youtube--9z5dwsPS-c"
    assert first.group == "yt--9z5dwsPS-c"


def test_files_of_one_name_in_two_folders_are_two_videos(site: Site) -> None:
    listing = bring(read({"playlist": site.page("list.html", ["a/clip.mp4", "b/clip.mp4"]), "label": "normal"}))
    first, second = (Path(row.path) for row in listing.rows)
    assert first.name.startswith("clip-") and second.name.startswith("clip-")
    assert {first.read_bytes(), second.read_bytes()} == {
        (site.folder / f"{name}/clip.mp4").read_bytes() for name in "ab"
    }


def test_what_is_known_of_a_video_goes_with_it(site: Site) -> None:
    entry = {"url": site.url("long.mp4"), "label": "abnormal", "split": "test", "source": "gate", "spans": [[0.5, 1]]}
    (row,) = bring(read(entry, licence="CC BY")).rows
    assert (row.label, row.split, row.source, row.licence) == ("anomaly", "test", "gate", "CC BY")
    assert [tuple(map(float, span)) for span in row.spans] == [(0.5, 1.0)]
    assert row.url == site.url("long.mp4")


def test_what_is_here_is_not_fetched_again(site: Site) -> None:
    params = read(
        {"url": site.url("a/clip.mp4"), "label": "normal"}, {"url": site.url("b/clip.mp4"), "label": "normal"}
    )
    first = bring(params)
    asked = len(site.asked)
    for path in Path("raw").rglob("*.mp4"):
        path.unlink()  # as DVC does before it runs a stage
    assert bring(params) == first
    assert len(site.asked) == asked
    assert all(Path(row.path).exists() for row in first.rows)


def test_what_was_cut_off_goes_on_where_it_stopped(site: Site) -> None:
    params = read({"url": site.url("long.mp4"), "label": "normal"})
    site.cut.add("long.mp4")
    (reject,) = bring(params).rejects
    assert reject.path == f"web/{site.url('long.mp4')}"
    assert reject.reason.startswith("cannot be fetched: ")
    assert reject.reason.endswith("to try again: dvc repro --force download")
    site.cut.clear()
    site.asked.clear()
    (row,) = bring(params).rows
    assert Path(row.path).read_bytes() == (site.folder / "long.mp4").read_bytes()
    begins = [int(span.removeprefix("bytes=").rstrip("-")) for _, span in site.asked if span]
    assert begins and min(begins) >= (site.folder / "long.mp4").stat().st_size // 2
    assert list(Path(".vigil/fetching").iterdir()) == []


def test_a_truncated_video_does_not_stay(site: Site) -> None:
    whole = (site.folder / "long.mp4").read_bytes()
    videos.truncated(site.folder / "long.mp4", 0.5)
    params = read({"url": site.url("long.mp4"), "label": "normal"})
    (reject,) = bring(params).rejects
    assert reject.reason.startswith("what came is no sound video: ")
    (site.folder / "long.mp4").write_bytes(whole)  # mended upstream
    (row,) = bring(params).rows
    assert Path(row.path).read_bytes() == whole


def test_a_site_that_asks_for_less_haste_stops_the_run_and_what_is_here_stays(site: Site) -> None:
    entries = [{"url": site.url(path), "label": "normal"} for path in ("a/clip.mp4", "b/clip.mp4", "long.mp4")]
    site.busy.add("b/clip.mp4")
    with pytest.raises(VigilError, match=r"b/clip.mp4: the site asks for less haste \(.*429") as stopped:
        bring(read(*entries))
    assert type(stopped.value) is VigilError
    assert site.fetched("long.mp4") == 0
    fetched = site.fetched("a/clip.mp4")
    site.busy.clear()
    assert len(bring(read(*entries)).rows) == 3
    assert site.fetched("a/clip.mp4") == fetched


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[youtube] abc: Sign in to confirm you’re not a bot. Use --cookies", "VigilError"),
        (
            "[youtube] abc: This content isn't available, try again later. The current session has been rate-limited",
            "VigilError",
        ),
        ("[youtube] abc: Sign in to confirm your age", "Rejected"),
        ("[youtube] abc: Private video. Sign in if you've been granted access", "Rejected"),
        ("[generic] x: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404>)", "Rejected"),
    ],
)
def test_only_haste_stops_the_run(message: str, kind: str) -> None:
    from vigil.footage.listing.fetch import _translate_error

    stopped = _translate_error("https://youtu.be/abc", Exception(f"\x1b[0;31mERROR:\x1b[0m {message}"))
    assert type(stopped).__name__ == kind
    assert not any(word in str(stopped) for word in ("ERROR", "\x1b", "caused by", "[youtube]", "[generic]"))


def test_a_playlist_in_the_place_of_a_video_is_said(site: Site) -> None:
    page = site.page("list.html", ["a/clip.mp4", "b/clip.mp4"])
    (reject,) = bring(read({"url": page, "label": "normal"})).rejects
    assert reject.reason == "a playlist, not a video; name it under `playlist`"


def test_a_playlist_that_is_not_there_is_a_mistake(site: Site) -> None:
    with pytest.raises(VigilError, match=r"none.html: gone: .*404"):
        bring(read({"playlist": site.url("none.html"), "label": "normal"}))


def test_a_video_with_two_labels_is_a_mistake(site: Site) -> None:
    page = site.page("list.html", ["a/clip.mp4", "b/clip.mp4"])
    with pytest.raises(VigilError, match=r"a/clip.mp4 is named as normal and as fight. Name it once"):
        bring(read({"url": site.url("a/clip.mp4"), "label": "normal"}, {"playlist": page, "label": "fight"}))
    listing = bring(read({"url": site.url("a/clip.mp4"), "label": "normal"}, {"playlist": page, "label": "normal"}))
    assert len(listing.rows) == 2


def test_params_that_changed_since_sync_are_said(site: Site) -> None:
    old = read({"url": site.url("a/clip.mp4"), "label": "normal"})
    new = read({"url": site.url("b/clip.mp4"), "label": "normal"})
    both = read(*(dict(video) for video in (old.videos[0], new.videos[0])))
    for params in (new, both):
        with pytest.raises(VigilError, match="Run `vigil sync`"):
            youtube.videos("web", params, youtube.sources("web", old), Path("raw"), Path("truth"), SERIAL)


def test_cookies_are_sent_and_the_file_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkey\tvalue\n")
    before = (jar.read_bytes(), jar.stat().st_mtime_ns)
    entry = {"url": site.url("a/clip.mp4"), "label": "normal"}
    assert len(bring(read(entry, cookies="cookies.txt")).rows) == 1
    assert (jar.read_bytes(), jar.stat().st_mtime_ns) == before
    with pytest.raises(VigilError, match=r"cookies = 'none.txt': no such file"):
        bring(read({"url": site.url("b/clip.mp4"), "label": "normal"}, cookies="none.txt"))


def test_the_home_folder_stays_empty(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home))
    bring(read({"playlist": site.page("list.html", ["a/clip.mp4", "gone.mp4"]), "label": "normal"}))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"label": "x"}, "expected one of url and playlist"),
        ({"label": "x", "url": "https://a/b", "playlist": "https://a/c"}, "expected one of url and playlist"),
        ({"label": "x", "url": "file:///etc/passwd"}, "should match pattern"),
        ({"label": "x", "url": "https://a/b", "spans": [[3, 1]]}, "a span ends before it starts"),
        ({"label": "normal", "url": "https://a/b", "spans": [[1, 3]]}, "spans belong to one abnormal video"),
        ({"label": "x", "playlist": "https://a/b", "spans": [[1, 3]]}, "spans belong to one abnormal video"),
        ({"label": "x", "url": "https://a/b", "split": "trian"}, "Did you mean 'train'?"),
        ({"lable": "x", "url": "https://a/b"}, "lable"),
    ],
)
def test_an_entry_that_makes_no_sense_is_a_mistake(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(VigilError) as failure:
        read(entry)
    assert reason in str(failure.value)
    assert "\n" not in str(failure.value)
