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
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.footage.listing.hashes import Hashes
from vigil.footage.listing.records import LATE_S, Reject, Row, Source
from vigil.footage.sources import read_datasets, read_sources
from vigil.footage.video.measure import measure_video, probe_from_json
from vigil.footage.video.reading import Probe
from vigil.footage.video_table import Video, write

LOST_FRAMES = Fraction(1, 100)  # an annotation may count this share of frames more or less than decode


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
    kinds = read_datasets(datasets)
    listed = _check_synced(kinds, read_sources(sources), sources)
    for name, (kind, settings) in kinds.items():
        listing = kind.videos(name, settings, listed[name], raw, truth, runtime)
        rows += listing.rows
        refused += listing.rejects
        for warning in listing.warnings:
            print(f"download: warning: {warning}", file=sys.stderr)
    verdicts, reused = _judge_rows(_add_hashes(rows), params, runtime)
    usable = [verdict for verdict in verdicts if isinstance(verdict, tuple)]
    refused += [verdict for verdict in verdicts if isinstance(verdict, Reject)]
    _keep_only(raw, [path for row, _ in usable for path in (Path(row.path), Path(row.path + POINTER))])
    _keep_only(truth, [truth / f"{row.video}.npz" for row, _ in usable])
    write(videos, [_make_video(row, probe) for row, probe in usable])
    write_table(
        rejects, [{"path": reject.path, "reason": reject.reason} for reject in sorted(set(refused))], ["path", "reason"]
    )
    lines = sum(reject.annotation for reject in refused)
    salvaged = sum(bool(probe.damage) for _, probe in usable)
    print(
        f"download: {len(usable) + len(refused) - lines} videos: {len(usable) - reused} done, {reused} reused, "
        f"{len(refused) - lines} rejected in {time.monotonic() - began:.1f} s"
        + (f", {salvaged} salvaged" if salvaged else "")
        + (f", {lines} annotation line{'s' * (lines > 1)} refused" if lines else "")
    )
    for name in kinds:
        prefix = f"{name}/"
        _refuse_too_many(
            name,
            [reject for reject in refused if reject.path.startswith(prefix)],
            sum(row.video.startswith(prefix) for row, _ in usable),
            params,
            rejects,
        )


def _check_synced(set_names: Iterable[str], listed: dict[str, list[Source]], path: Path) -> dict[str, list[Source]]:
    """Returns what `vigil sync` saw of each set; VigilError when it saw other sets than there are now."""
    missing, superfluous = sorted(set(set_names) - listed.keys()), sorted(listed.keys() - set(set_names))
    if missing or superfluous:
        what = f"does not know {', '.join(missing)}" if missing else f"still lists {', '.join(superfluous)}"
        raise VigilError(f"{path}: {what}. Run `vigil sync`.")
    return listed


def _add_hashes(rows: Iterable[Row]) -> list[Row]:
    """Returns the rows sorted by video, each with the digest of its content."""
    with Hashes() as hashes:
        return [
            row if row.sha256 else replace(row, sha256=hashes.file_digest(Path(row.path)))
            for row in sorted(rows, key=lambda row: row.video)
        ]


def _judge_rows(rows: Sequence[Row], params: Params, runtime: Runtime) -> tuple[list[tuple[Row, Probe] | Reject], int]:
    """Returns each row with its probe or the reason against it, and how many results were reused."""
    unknown = [row for row in rows if row.probe is None]
    items = []
    for row in unknown:
        file, numbers = raw_file(Path(row.path)), _annotated_numbers(row)
        key = (row.sha256, file.suffix, str(row.fps), str(numbers))
        items.append(Item(row.video, key, (file, row.fps, numbers)))
    outcomes = run_per_video("download", measure_video, items, None, runtime)
    outcome_of_video = dict(zip([row.video for row in unknown], outcomes, strict=True))
    verdicts: list[tuple[Row, Probe] | Reject] = []
    first_of_hash: dict[str, Row] = {}
    for row in rows:
        outcome = outcome_of_video.get(row.video)
        if outcome and not outcome.reason:
            row, probe = _in_seconds(row, outcome.value["times"]), probe_from_json(outcome.value)
        elif outcome is None and row.probe:
            probe = row.probe
        else:
            verdicts.append(Reject(row.origin or row.video, (outcome and outcome.reason) or "not measured"))
            continue
        fitted = (
            _find_unfit(probe, params) or _find_duplicate(row, first_of_hash.get(row.sha256)) or _fit_spans(row, probe)
        )
        if isinstance(fitted, str):
            verdicts.append(Reject(row.origin or row.video, fitted))
        else:
            first_of_hash[row.sha256] = row
            verdicts.append((fitted, probe))
    fresh = {row.video for row in rows if row.fresh}
    return verdicts, sum(
        outcome.reused and not outcome.reason and outcome.item.name not in fresh for outcome in outcomes
    )


def _annotated_numbers(row: Row) -> tuple[int, ...]:
    """Returns the frames whose times an annotation needs."""
    return tuple(sorted({number for span in row.frame_spans for number in span}))


def _in_seconds(row: Row, times: Sequence[str]) -> Row:
    """Turns the row's spans in frames into seconds; `times` are those of its `_annotated_numbers`."""
    clock = dict(zip(_annotated_numbers(row), map(Fraction, times), strict=True))
    spans = [*row.spans, *((clock[start], clock[stop]) for start, stop in row.frame_spans)]
    return replace(row, spans=tuple(sorted(spans)), frame_spans=())


def _find_unfit(probe: Probe, params: Params) -> str | None:
    if probe.frames < params.min_frames:
        lost = f": {probe.damage}; fetch it again" if probe.damage else ""
        return f"{probe.frames} frames: too short (download.min_frames = {params.min_frames}){lost}"
    return None


def _find_duplicate(row: Row, first: Row | None) -> str | None:
    if first is None:
        return None
    clash = (
        "" if first.label == row.label else f", there labelled {first.label} and here {row.label}: check which is right"
    )
    return f"the same content as {first.origin or first.video}{clash}"


def _fit_spans(row: Row, probe: Probe) -> Row | str:
    """Cuts the row's spans to the video; returns a reason when its annotation is of another video."""
    counted, slack = row.annotated_frames, Fraction(0)
    if counted is not None:
        slack = 1 + LOST_FRAMES * probe.frames
        if counted - probe.frames < -slack or (counted - probe.frames > slack and not probe.damage):
            return (
                f"its annotation has {counted} frames and {probe.frames} decode: it belongs to another cut of the video"
            )
    end, slack_s = probe.duration_s, slack / probe.fps
    if probe.damage:
        spans = [(start, stop) for start, stop in row.spans if start < end]
        if row.spans and not spans:
            return f"what its annotation marks is lost, for it ends at {round_decimals(end)} s: {probe.damage}"
        row = replace(row, spans=tuple((start, min(stop, end)) for start, stop in spans))
    if any(start >= end + slack_s or stop > end + max(LATE_S, slack_s) for start, stop in row.spans):
        return f"its annotation marks a time after its end ({round_decimals(end)} s): it belongs to another video"
    return replace(row, spans=_merge_spans((start, min(stop, end)) for start, stop in row.spans if start < end))


def _merge_spans(spans: Iterable[tuple[Fraction, Fraction]]) -> tuple[tuple[Fraction, Fraction], ...]:
    """Sorts the spans, and joins those that overlap or touch."""
    merged: list[tuple[Fraction, Fraction]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            start, stop = merged[-1][0], max(merged.pop()[1], stop)
        merged.append((start, stop))
    return tuple(merged)


def _make_video(row: Row, probe: Probe) -> Video:
    return Video(
        video=row.video,
        path=row.path,
        source=row.source,
        label=row.label,
        spans=tuple((round_decimals(start), round_decimals(stop)) for start, stop in row.spans),
        split=row.split,
        fps=round_decimals(probe.fps),
        frames=probe.frames,
        width=probe.width,
        height=probe.height,
        duration_s=round_decimals(probe.duration_s),
        sha256=row.sha256,
        url=row.url,
        licence=row.licence,
        pauses=tuple((round_decimals(start), round_decimals(stop)) for start, stop in probe.pauses),
        damage=probe.damage,
        grouped_by=row.grouped_by,
    )


def round_decimals(value: Fraction) -> Fraction:
    """Rounds to what a table can hold: at most nine decimals, so that 30000/1001 is 29.97002997."""
    return Fraction(round(value * 10**9), 10**9)


def _keep_only(folder: Path, keep: Iterable[Path]) -> None:
    """Removes the files that are neither among `keep` nor in a folder of `keep`, and then empty folders."""
    protected = set(keep)
    for path in sorted(folder.rglob("*"), reverse=True):  # a folder's content comes before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif protected.isdisjoint([path, *path.parents]):
            path.unlink()


def _refuse_too_many(name: str, refused: Sequence[Reject], usable_count: int, params: Params, rejects: Path) -> None:
    """Raises VigilError when too few videos of a set are left; rejected annotations do not count."""
    lost = [reject for reject in refused if not reject.annotation]
    total = len(lost) + usable_count
    if not refused or (usable_count and len(lost) <= params.max_reject_share * total):
        return
    common = Counter(_generalise_reason(reject.reason) for reject in lost or refused).most_common(3)
    reasons = "; ".join(f"{reason} ({count})" for reason, count in common)
    problem = f"{len(lost)} of {total} rejected; download.max_reject_share is {params.max_reject_share:g}"
    if not usable_count:
        problem = f"not one video can be used, of {total}"
    raise VigilError(f"{name}: {problem}. Most often: {reasons}. See {rejects}.")


def _generalise_reason(reason: str) -> str:
    """Returns the reason without what differs from one line or name to the next."""
    bare = re.sub(r"^(\S+ )?line \d+: | Did you mean '.*'\?$", "", reason)
    return re.sub(r"(?<!\w)'[^']*'(?!\w)", "'...'", bare)


if __name__ == "__main__":
    run_stage("download", main)
