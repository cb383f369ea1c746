"""What `vigil detect` does, from its sources to its summary. See refusals.py for what it refuses before."""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from vigil.capture.sources import Source
from vigil.core.counts import count
from vigil.core.errors import Rejected
from vigil.evidence.anomalies import UNREAD
from vigil.watch.cameras import watch_cameras
from vigil.watch.detectors import Detectors
from vigil.watch.recordings import Recordings
from vigil.watch.request import Request, Say, describe_change
from vigil.watch.sending import Sending

PROGRESS_S = 0.3
PROBLEMS = {"damage": "damaged", "undrawn": "not all of it is drawn"}  # of a verdict


def run_detect(request: Request, sources: Sequence[Source], say: Say) -> dict[str, Any]:
    """Judges all sources, which `check_request` has let through; `say` gets a line for every alert.

    Returns the summary.
    """
    with ExitStack() as stack:
        detectors = stack.enter_context(Detectors(request, sources))
        sending = stack.enter_context(Sending(request)) if request.delivers else None
        if not sources[0].is_live:
            return _watch_recordings(sources, detectors, request, sending, say)
        summary = watch_cameras(sources, detectors, request, sending, say)
        if not request.as_json:
            say(_describe_watch(summary))
        return summary


def _watch_recordings(
    sources: Sequence[Source], detectors: Detectors, request: Request, sending: Sending | None, say: Say
) -> dict[str, Any]:
    began, broken, alerts = time.monotonic(), list[str](), 0
    progress = _Progress()
    with Recordings(detectors, request.outputs, sending, progress.tick) as recordings:
        for number, source in enumerate(sources, 1):
            progress.begin(source, number, len(sources))
            if sending is not None:
                sending.check()
            try:
                for change in recordings.watch(source):
                    alerts += change.change == "raised"
                    progress.clear()
                    say(describe_change(change, source.name, request.as_json))
            except Rejected as error:
                print(f"{source.address}: {error}", file=sys.stderr)
                broken.append(source.address)
                continue
            finally:
                progress.clear()
            verdict = recordings.verdicts[-1]
            problems = [f"{word}: {verdict[key]}" for key, word in PROBLEMS.items() if verdict.get(key)]
            if problems:
                print(f"{source.address}: {'; '.join(problems)}", file=sys.stderr)
                broken.append(source.address)
    elapsed = max(time.monotonic() - began, 1e-9)
    summary = {
        "recordings": len(sources),
        "abnormal": sum(verdict["verdict"] == "abnormal" for verdict in recordings.verdicts),
        "alerts": alerts,
        "unread": sum(verdict["verdict"] == UNREAD for verdict in recordings.verdicts),
        "broken": broken,
        "frames": recordings.frames,
        "frames_per_second": round(recordings.frames / elapsed, 1),
        "seconds": round(recordings.seconds, 2),
        "elapsed_s": round(elapsed, 2),
        "detectors": detectors.alarming,
    }
    if not request.as_json:
        unread = f"{summary['unread']} could not be judged, " if summary["unread"] else ""
        say(
            f"{count(len(sources), 'recording')}, {summary['abnormal']} abnormal, "
            f"{unread}{count(alerts, 'alert')}; "
            f"{summary['seconds']:.0f} s watched in {elapsed:.0f} s, {summary['frames_per_second']:g} frames/s, by "
            f"{', '.join(detectors.alarming)}"
        )
    return summary


def _describe_watch(summary: dict[str, Any]) -> str:
    lags = [camera["lag_p95_s"] for camera in summary["cameras"].values() if camera["lag_p95_s"] is not None]
    lag = f", 95 % of frames judged within {max(lags):.2f} s" if lags else ""
    cameras, alerts = count(len(summary["cameras"]), "camera"), count(summary["alerts"], "alert")
    return f"{cameras} watched for {summary['elapsed_s']:.0f} s, {alerts}{lag}"


class _Progress:
    """A line on a terminal that says how far a recording is; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._shows, self._shown_at, self._name = sys.stderr.isatty(), 0.0, ""
        self._began, self._frames = time.monotonic(), 0

    def begin(self, source: Source, number: int, total: int) -> None:
        self._name = f"{number} of {total}: {source.name}" if total > 1 else source.name
        self._began, self._frames = time.monotonic(), 0

    def tick(self, time_s: float) -> None:
        """A frame is about to be looked at."""
        self._frames += 1
        now = time.monotonic()
        if self._shows and now - self._shown_at >= PROGRESS_S:
            rate = self._frames / max(now - self._began, 1e-9)
            self.clear()
            print(f"{self._name}: {time_s:.0f} s, {rate:.0f} frames/s", end="", file=sys.stderr, flush=True)
            self._shown_at = now

    def clear(self) -> None:
        if self._shows:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
