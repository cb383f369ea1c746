"""Recordings: each is judged from its first frame to its last, and then drawn and written down as it was asked for.

    with Recordings(detectors, outputs, sending) as recordings:
        for source in sources:
            for line in recordings.watch(source):       # alerts, as they come
                ...
            recordings.verdicts[-1]

What breaks off in the middle keeps what was found until then, and its verdict says so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vigil.capture.recordings import open_recording
from vigil.capture.sources import Source
from vigil.capture.writing import naming_output
from vigil.core.errors import Rejected, VigilError
from vigil.core.storage import write_json
from vigil.delivery.alert import Alert, Ended, revise
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.detect.states import Step
from vigil.evidence import clips, index_page, overlay, pictures
from vigil.evidence.anomalies import describe_recording
from vigil.evidence.hidden_clips import Window, cut_recording
from vigil.evidence.recording import Recording
from vigil.footage.video import reading
from vigil.footage.video.views import View
from vigil.watch.alert_records import AlertRecords
from vigil.watch.detectors import Detectors
from vigil.watch.outputs import Outputs
from vigil.watch.replay_files import ReplayFiles
from vigil.watch.sending import Sending
from vigil.watch.step_tables import StepTables

FASTEST = Fraction(30)  # frames a second of a video that is written, at most


class Recordings:
    """Judges recordings one after the other."""

    def __init__(
        self,
        detectors: Detectors,
        outputs: Outputs,
        sending: Sending | None = None,
        tick: Callable[[float], object] = lambda _: None,
    ) -> None:
        """`tick` is called with the time of every frame before it is looked at."""
        self.detectors, self.outputs, self._sending, self._tick = detectors, outputs, sending, tick
        self.verdicts: list[dict[str, Any]] = []
        self.frames = 0  # judged so far, of all rates
        self.seconds = 0.0  # of recordings, judged so far
        self._stack = ExitStack()
        self._tables = StepTables(outputs, detectors.scoring)
        self._replays: ReplayFiles | None = None
        self._sent: dict[str, Alert] = {}  # the latest revision sent of each alert of a recording, by its name

    def __enter__(self) -> Self:
        self._stack.enter_context(self._tables)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if (path := self.outputs.anomalies) is not None:
                with naming_output(path):
                    write_json(path, {"videos": self.verdicts})
            if (folder := self.outputs.batch) is not None:
                with naming_output(folder / "index.html"):
                    index_page.write_index(folder, self.verdicts)
        finally:
            self._stack.close()

    def watch(self, source: Source) -> Iterator[AlertChange]:
        """Yields the alerts of one recording as they are raised and end; its verdict is then the last one."""
        with nullcontext() if self._sending is None else self._sending.watching(source.name):
            yield from self._judge(source)

    def _judge(self, source: Source) -> Iterator[AlertChange]:
        recording, detector = Recording(source.address), self.detectors.of(source)
        records = AlertRecords(source, detector.settings_sha256)
        detector.reset()
        self._sent = {}
        self._replays = ReplayFiles(detector) if self._clips_folder(source) is not None else None
        views = open_recording(source, self.outputs.fps)
        broken = ""
        try:
            for step in recording.follow(detector.steps(self._count(views))):
                self._tables.write(source.name, step)
                yield from self._hand_on(step, source, records, recording)
        except Rejected as error:
            broken = str(error)
            last = Step(changes=detector.finish())
            recording.add(last)
            yield from self._hand_on(last, source, records, recording)
        except KeyboardInterrupt:
            for _ in self._hand_on(Step(changes=detector.finish()), source, records, recording, "interrupted"):
                pass
            raise
        damage = broken or views.damage
        self.seconds += recording.seconds
        verdict = describe_recording(detector, recording) | ({"damage": damage} if damage else {})
        self.verdicts.append(verdict)
        if recording.moments:
            try:
                self._draw(source, detector, recording, verdict)
            except VigilError as error:  # the others are judged all the same
                verdict["undrawn"] = str(error)

    def _count(self, views: Iterable[View]) -> Iterator[View]:
        for view in views:
            self.frames += 1
            self._tick(float(view.time_s))
            yield view

    def _hand_on(
        self,
        step: Step,
        source: Source,
        records: AlertRecords,
        recording: Recording,
        at_end: Ended = "source ended",
    ) -> Iterator[AlertChange]:
        """Puts the alerts of a step into the outbox and the evidence, and yields them."""
        if self._replays is not None:
            self._replays.add(step)
        folder = self._clips_folder(source)
        ended: Ended = at_end if step.stored is None else "released"
        for change in step.changes:
            peak_s = recording.moments[change.alert.peak_index].time_s
            resume = _keep_as_it_is if self._sending is None else self._sending.resume
            alert = records.revise(change, _no_clock, recording.size, peak_s, ended, resume)
            if self._sending is not None:
                self._sending.put(alert)
                self._sent[_stem(source, change)] = alert
            if self._replays is not None and folder is not None:
                self._replays.write(folder / _stem(source, change), change, alert)
            yield change

    def _clips_folder(self, source: Source) -> Path | None:
        """Where evidence of a recording goes; None: nowhere."""
        return self.outputs.clips if self.outputs.batch is None else self.outputs.batch / source.name / "clips"

    def _draw(self, source: Source, detector: Detector, recording: Recording, verdict: dict[str, Any]) -> None:
        """Everything that is made when all is known."""
        folder, outputs = None, self.outputs
        if outputs.batch is not None:
            folder = outputs.batch / source.name
            with naming_output(folder):
                folder.mkdir(parents=True, exist_ok=True)
            verdict["folder"] = source.name
            outputs = replace(outputs, video=folder / "overlay.mp4", pictures=folder, clips=self._clips_folder(source))
        path = Path(source.location)
        if source.kind not in ("file", "images"):
            return
        if outputs.pictures is not None:
            target = outputs.pictures if folder else outputs.pictures / source.name
            with naming_output(target):
                pictures.write_pictures(target, path, detector, recording)
        if outputs.video is not None:
            fps = min(FASTEST, reading.probe(path, outputs.fps).fps)
            with naming_output(outputs.video):
                overlay.write_overlay(outputs.video, path, detector, recording, fps)
        if outputs.clips is not None and (source.kind == "file" or recording.heads is not None):
            with naming_output(outputs.clips):
                written = _cut_clips(path, recording, source, outputs.clips)
            self._put_clips(written)
        if folder is not None:
            with naming_output(folder):
                write_json(folder / "anomalies.json", verdict)

    def _put_clips(self, written: Sequence[Path]) -> None:
        """Sends the alerts that have got a clip once more, with its place in the folder that the user has named."""
        evidence = self.outputs.batch or self.outputs.clips
        for path in written:
            if self._sending is not None and evidence is not None:
                self._sending.put(revise(self._sent[path.stem], clip=path.relative_to(evidence).as_posix()))


def _stem(source: Source, change: AlertChange) -> str:
    """By what an alert's evidence is named."""
    return f"{source.name}-{change.detector}-{change.number}"


def _cut_clips(path: Path, recording: Recording, source: Source, folder: Path) -> list[Path]:
    """A clip of every alert: as it was encoded; encoded anew where heads are hidden, or where packets are lost.

    Returns those that could be written. Clips of the same names, of an earlier run, are removed first.
    """
    windows = [
        Window(
            alert.alert.start_s - clips.BEFORE_S,
            alert.alert.stop_s + clips.AFTER_S,
            folder / f"{_stem(source, alert)}.mp4",
        )
        for alert in recording.alerts
    ]
    for window in windows:
        window.path.unlink(missing_ok=True)
    uncut = windows if recording.heads is not None else []
    for window in windows if recording.heads is None else []:
        try:
            clips.cut_file(path, window.start_s, window.stop_s, window.path)
        except VigilError:
            uncut = [*uncut, window]
    cut_recording(path, recording, uncut)
    return [window.path for window in windows if window.path.exists()]


def _no_clock(_: float) -> None:
    """Nobody says when a recording was made."""


def _keep_as_it_is(alert: Alert) -> Alert:
    return alert
