"""DVC stage `download`: every video of every set in its place, decoded once to the end, or rejected with a reason.

Reads   <sources>               what `vigil sync` listed
Writes  <raw>/<set>/            videos; pointers to those that lie on this machine already
        <truth>/<set>/<v>.npz   what is known for certain about a video, for sets that know it
        <videos>                one row per usable video
        <rejects>               one row per unusable file, with the reason
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import POINTER, raw_file, write_table
from vigil.engine.per_video import Item, Runtime, each
from vigil.engine.stage_runner import run_stage
from vigil.footage.listing.hashes import Hashes
from vigil.footage.listing.records import Reject, Row, Source
from vigil.footage.sources import read_datasets, read_sources
from vigil.footage.video.measure import measure, measured
from vigil.footage.video.reading import Probe
from vigil.footage.video_table import Video, write

LOST_FRAMES = Fraction(1, 100)  # an annotation may count this share of frames more or less than decode
LATE_S = Fraction(1)  # a span may stop this long after the video's end


class Params(Frozen):
    min_frames: Annotated[int, Field(ge=1)]  # a video that decodes to fewer is rejected
    max_reject_share: Annotated[float, Field(ge=0, le=1)]  # of one set; more rejected than this stops the run


def main(
    *,
    sources: Path,
    raw: Path,
    truth: Path,
    videos: Path,
    rejects: Path,
    params: Params,
    datasets: Mapping[str, Any],
    runtime: Runtime,
) -> None:
    began = time.monotonic()
    rows: list[Row] = []
    refused: list[Reject] = []
    raw.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    known = read_datasets(datasets)
    listed = _synced(known, read_sources(sources), sources)
    for name, (kind, settings) in known.items():
        listing = kind.videos(name, settings, listed[name], raw, truth, runtime)
        rows += listing.rows
        refused += listing.rejects
        for warning in listing.warnings:
            print(f"download: warning: {warning}", file=sys.stderr)
    judged, reused = _judge(_hashed(rows), params, runtime)
    kept = [one for one in judged if isinstance(one, tuple)]
    refused += [one for one in judged if isinstance(one, Reject)]
    _keep_only(raw, [path for row, _ in kept for path in (Path(row.path), Path(row.path + POINTER))])
    _keep_only(truth, [truth / f"{row.video}.npz" for row, _ in kept])
    write(videos, [_video(row, probe) for row, probe in kept])
    write_table(rejects, [{"path": one.path, "reason": one.reason} for one in sorted(set(refused))], ["path", "reason"])
    lines = sum(one.annotation for one in refused)
    print(
        f"download: {len(kept) + len(refused) - lines} videos: {len(kept) - reused} done, {reused} reused, "
        f"{len(refused) - lines} rejected in {time.monotonic() - began:.1f} s"
        + (f", {lines} annotation line{'s' * (lines > 1)} refused" if lines else "")
    )
    for name in known:
        prefix = f"{name}/"
        _refuse_too_many(
            name,
            [one for one in refused if one.path.startswith(prefix)],
            sum(row.video.startswith(prefix) for row, _ in kept),
            params,
            rejects,
        )


def _synced(known: Iterable[str], listed: dict[str, list[Source]], path: Path) -> dict[str, list[Source]]:
    """What `vigil sync` saw of each set; an error when it saw other sets than there are now."""
    missing, superfluous = sorted(set(known) - listed.keys()), sorted(listed.keys() - set(known))
    if missing or superfluous:
        what = f"does not know {', '.join(missing)}" if missing else f"still lists {', '.join(superfluous)}"
        raise VigilError(f"{path}: {what}. Run `vigil sync`.")
    return listed


def _hashed(rows: Iterable[Row]) -> list[Row]:
    """The rows sorted by video, each with the digest of its content."""
    with Hashes() as hashes:
        return [
            row if row.sha256 else replace(row, sha256=hashes.of(Path(row.path)))
            for row in sorted(rows, key=lambda row: row.video)
        ]


def _judge(rows: Sequence[Row], params: Params, runtime: Runtime) -> tuple[list[tuple[Row, Probe] | Reject], int]:
    """Each row with its probe or the reason against it, and how many of them were here and known already."""
    unknown = [row for row in rows if row.facts is None]
    items = []
    for row in unknown:
        file, numbers = raw_file(Path(row.path)), _numbers(row)
        key = (row.sha256, file.suffix, str(row.fps), str(numbers))
        items.append(Item(row.video, key, (file, row.fps, numbers)))
    outcomes = each("download", measure, items, None, runtime)
    found = dict(zip([row.video for row in unknown], outcomes, strict=True))
    judged: list[tuple[Row, Probe] | Reject] = []
    first: dict[str, Row] = {}
    for row in rows:
        outcome = found.get(row.video)
        if outcome and not outcome.reason:
            row, probe = _in_seconds(row, outcome.value["times"]), measured(outcome.value)
        elif outcome is None and row.facts:
            probe = row.facts
        else:
            judged.append(Reject(row.origin or row.video, (outcome and outcome.reason) or "not measured"))
            continue
        made = _unfit(probe, params) or _twin(row, first.get(row.sha256)) or _within(row, probe)
        if isinstance(made, str):
            judged.append(Reject(row.origin or row.video, made))
        else:
            first[row.sha256] = row
            judged.append((made, probe))
    fresh = {row.video for row in rows if row.fresh}
    return judged, sum(one.reused and not one.reason and one.item.name not in fresh for one in outcomes)


def _numbers(row: Row) -> tuple[int, ...]:
    """The frames whose times an annotation needs."""
    return tuple(sorted({number for span in row.frame_spans for number in span}))


def _in_seconds(row: Row, times: Sequence[str]) -> Row:
    """The row with its spans in frames turned into seconds; `times` are those of its `_numbers`."""
    clock = dict(zip(_numbers(row), map(Fraction, times), strict=True))
    spans = [*row.spans, *((clock[start], clock[stop]) for start, stop in row.frame_spans)]
    return replace(row, spans=tuple(sorted(spans)), frame_spans=())


def _unfit(probe: Probe, params: Params) -> str | None:
    if probe.frames < params.min_frames:
        return f"{probe.frames} frames: too short (download.min_frames = {params.min_frames})"
    return None


def _twin(row: Row, first: Row | None) -> str | None:
    if first is None:
        return None
    clash = (
        "" if first.label == row.label else f", there labelled {first.label} and here {row.label}: check which is right"
    )
    return f"the same content as {first.origin or first.video}{clash}"


def _within(row: Row, probe: Probe) -> Row | str:
    """The row with its spans cut to the video; a reason when its annotation is of another one."""
    counted, slack = row.annotated_frames, Fraction(0)
    if counted is not None:
        slack = 1 + LOST_FRAMES * probe.frames
        if abs(counted - probe.frames) > slack:
            return (
                f"its annotation has {counted} frames and {probe.frames} decode: it belongs to another cut of the video"
            )
    end, slack_s = probe.duration_s, slack / probe.fps
    if any(start >= end + slack_s or stop > end + max(LATE_S, slack_s) for start, stop in row.spans):
        return f"its annotation marks a time after its end ({decimal(end)} s): it belongs to another video"
    return replace(row, spans=_merged((start, min(stop, end)) for start, stop in row.spans if start < end))


def _merged(spans: Iterable[tuple[Fraction, Fraction]]) -> tuple[tuple[Fraction, Fraction], ...]:
    """The spans sorted, those that overlap or touch made one."""
    merged: list[tuple[Fraction, Fraction]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            start, stop = merged[-1][0], max(merged.pop()[1], stop)
        merged.append((start, stop))
    return tuple(merged)


def _video(row: Row, probe: Probe) -> Video:
    return Video(
        video=row.video,
        path=row.path,
        source=row.source,
        label=row.label,
        spans=tuple((decimal(start), decimal(stop)) for start, stop in row.spans),
        split=row.split,
        fps=decimal(probe.fps),
        frames=probe.frames,
        width=probe.width,
        height=probe.height,
        duration_s=decimal(probe.duration_s),
        sha256=row.sha256,
        url=row.url,
        licence=row.licence,
    )


def decimal(value: Fraction) -> Fraction:
    """As a table can hold it: at most nine decimals, so that 30000/1001 is 29.97002997."""
    return Fraction(round(value * 10**9), 10**9)


def _keep_only(folder: Path, wanted: Iterable[Path]) -> None:
    """Remove what is of no use any more: files that are not wanted nor in a wanted folder, and empty folders."""
    kept = set(wanted)
    for path in sorted(folder.rglob("*"), reverse=True):  # a folder's content comes before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif kept.isdisjoint([path, *path.parents]):
            path.unlink()


def _refuse_too_many(name: str, refused: Sequence[Reject], kept: int, params: Params, rejects: Path) -> None:
    """VigilError when too few videos of a set are left; what is refused of annotations does not count."""
    lost = [one for one in refused if not one.annotation]
    found = len(lost) + kept
    if not refused or (kept and len(lost) <= params.max_reject_share * found):
        return
    common = Counter(_kind(one.reason) for one in lost or refused).most_common(3)
    reasons = "; ".join(f"{reason} ({count})" for reason, count in common)
    problem = f"{len(lost)} of {found} rejected; download.max_reject_share is {params.max_reject_share:g}"
    if not kept:
        problem = f"not one video can be used, of {found}"
    raise VigilError(f"{name}: {problem}. Most often: {reasons}. See {rejects}.")


def _kind(reason: str) -> str:
    """The reason without what differs from one line or name to the next."""
    bare = re.sub(r"^(\S+ )?line \d+: | Did you mean '.*'\?$", "", reason)
    return re.sub(r"(?<!\w)'[^']*'(?!\w)", "'...'", bare)


if __name__ == "__main__":
    run_stage("download", main)
