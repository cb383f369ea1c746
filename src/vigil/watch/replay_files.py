"""What an alert is judged again from, in the evidence folder: `<alert>.json`, the alert, and `<alert>.npz`."""

import sys
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.delivery.alert import Alert
from vigil.detect.alerts import AlertChange
from vigil.detect.detector import Detector
from vigil.detect.states import Step
from vigil.evidence.replays import Key, ReplayRecord, ReplayRecorder, write_replay
from vigil.watch.alert_evidence import REPLAY_SUFFIX


class ReplayFiles:
    """Follows one source. What cannot be written is said, and stops nothing."""

    def __init__(self, detector: Detector) -> None:
        self._detector, self._recorder = detector, ReplayRecorder(detector)
        self._records: dict[Key, ReplayRecord] = {}

    def add(self, step: Step) -> None:
        """One step more, before its changes are written."""
        self._records = dict(self._recorder.add(step))

    def reset(self) -> None:
        """The detector has begun anew."""
        self._recorder.reset()

    def write(self, stem: Path, change: AlertChange, alert: Alert) -> None:
        """An alert that was raised, or has ended, with the step that was added last; `stem` has no suffix."""
        record = self._records.get((change.detector, change.number))
        if record is None:
            return
        try:
            write_replay(stem.with_name(stem.name + REPLAY_SUFFIX), record, self._detector.loaded_as)
            write_alert(stem, alert)
        except VigilError as error:
            print(f"{alert.camera}: cannot be judged again: {error}", file=sys.stderr)


def write_alert(stem: Path, alert: Alert) -> None:
    """The alert in its latest revision."""
    path = stem.with_name(f"{stem.name}.json")
    try:
        with replacing(path) as partial_path:
            partial_path.write_text(alert.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise VigilError(f"{path}: cannot be written: {error.strerror}.") from None
