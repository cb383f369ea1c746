"""What `vigil detect` does, from its options to its summary."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from vigil.capture.addresses import look_up
from vigil.capture.recordings import require_readable
from vigil.capture.sources import Source, expand_sources
from vigil.core import settings
from vigil.core.errors import Rejected, VigilError
from vigil.delivery.courier import Couriers
from vigil.delivery.outbox import Outbox
from vigil.delivery.targets import make_targets
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.watch.outputs import Outputs
from vigil.watch.recordings import Recordings

PROGRESS_S = 0.3
DRAIN_S = 10.0  # s that deliveries are waited for in the end; what is left waits in the outbox

Say = Callable[[str], object]


@dataclass(frozen=True)
class Request:
    """What a user has asked for."""

    sources: Sequence[str]
    names: Sequence[str] | None
    trained: Path
    threshold: str | None
    calibrations: Mapping[str, Path]
    outputs: Outputs
    webhooks: Sequence[str]
    brokers: Sequence[str]
    outbox: Path | None
    serve: str | None
    as_json: bool

    @classmethod
    def of(cls, sources: Sequence[str], options: Mapping[str, Any]) -> Self:
        """From the options of the command."""
        if not 0 < options["fps"] <= 1000:
            raise VigilError(f"--fps {options['fps']:g}: expected frames a second, above 0.")
        names = options["names"]
        outputs = Outputs(
            options["alerts"], options["scores"], options["anomalies"], options["video"], options["pictures"],
            options["clips"], options["batch"], Fraction(options["fps"]).limit_denominator(1000),
        )  # fmt: skip
        return cls(
            sources=sources,
            names=[name.strip() for name in names.split(",") if name.strip()] if names else None,
            trained=options["trained"] or settings.root() / "models",
            threshold=options["threshold"],
            calibrations=dict(_calibration(text) for text in options["calibrations"]),
            outputs=outputs,
            webhooks=options["webhooks"],
            brokers=options["brokers"],
            outbox=options["outbox"],
            serve=options["serve"],
            as_json=options["as_json"],
        )

    @property
    def delivers(self) -> bool:
        """Whether alerts go anywhere but to the terminal."""
        return bool(self.outputs.alerts or self.webhooks or self.brokers or self.outbox or self.serve)


def run_detect(request: Request, say: Say) -> dict[str, Any]:
    """Judges all sources; `say` gets a line for every alert. Returns the summary."""
    sources = [look_up(source) for source in expand_sources(request.sources)]
    for source in sources:
        if not source.is_live:
            require_readable(source)
    live = [source for source in sources if source.is_live]
    if live and len(live) < len(sources):
        raise VigilError("cameras and recordings together: run them apart, for a recording ends and a camera does not.")
    request.outputs.check(len(sources))
    with ExitStack() as stack:
        detector = stack.enter_context(
            Detector.load(
                request.trained, request.names, calibrations=request.calibrations, threshold=request.threshold
            )
        )
        outbox = _open_outbox(request, stack) if request.delivers else None
        if live:
            from vigil.watch.cameras import watch_cameras

            return watch_cameras(live, detector, request, outbox, say)
        return _watch_recordings(sources, detector, request, outbox, say)


def _open_outbox(request: Request, stack: ExitStack) -> Outbox:
    targets = make_targets(request.outputs.alerts, request.webhooks, request.brokers)
    path = request.outbox or settings.home() / "outbox.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    outbox = stack.enter_context(Outbox(path, [target.name for target in targets]))
    stack.enter_context(Couriers(outbox, targets))
    return outbox


def _watch_recordings(
    sources: Sequence[Source], detector: Detector, request: Request, outbox: Outbox | None, say: Say
) -> dict[str, Any]:
    began, broken, alerts = time.monotonic(), list[str](), 0
    progress = _Progress()
    with Recordings(detector, request.outputs, outbox, progress.tick) as recordings:
        for number, source in enumerate(sources, 1):
            progress.begin(source, number, len(sources))
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
            if damage := recordings.verdicts[-1].get("damage"):
                print(f"{source.address}: damaged: {damage}", file=sys.stderr)
                broken.append(source.address)
    elapsed = max(time.monotonic() - began, 1e-9)
    summary = {
        "recordings": len(sources),
        "abnormal": sum(verdict["verdict"] == "abnormal" for verdict in recordings.verdicts),
        "alerts": alerts,
        "broken": broken,
        "frames": recordings.frames,
        "frames_per_second": round(recordings.frames / elapsed, 1),
        "seconds": round(recordings.seconds, 2),
        "elapsed_s": round(elapsed, 2),
        "detectors": list(detector.alarming),
    }
    if not request.as_json:
        say(
            f"{summary['recordings']} recordings, {summary['abnormal']} abnormal, {alerts} alerts; "
            f"{summary['seconds']:.0f} s watched in {elapsed:.0f} s, {summary['frames_per_second']:g} frames/s, by "
            f"{', '.join(detector.alarming)}"
        )
    return summary


def describe_change(change: AlertChange, source: str, as_json: bool) -> str:
    """An alert in one line, for a program or for a person."""
    if as_json:
        return json.dumps({"source": source} | change.to_json(), sort_keys=True)
    finding, alert = change.finding, change.alert
    what = finding.label or "abnormal"
    who = "" if finding.person is None else f", person {finding.person}"
    sure = "" if change.p is None else f", p {change.p:.2f}"
    when = f"at {alert.start_s:.1f} s" if change.change == "raised" else f"{alert.start_s:.1f} to {alert.stop_s:.1f} s"
    by_hand = " (threshold set by hand)" if change.provenance.by_hand else ""
    return f"{source}: {change.change} {change.detector}: {what} {when}{sure}{who}{by_hand}"


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


def _calibration(text: str) -> tuple[str, Path]:
    name, separator, path = text.partition("=")
    if not separator or not name or not path:
        raise VigilError(f"--calibration {text}: expected MODEL=FILE.")
    return name, Path(path)
