"""Alerts of a detector as records for the outbox."""

from collections.abc import Callable

from vigil.capture.sources import Source
from vigil.delivery import alert as delivered
from vigil.delivery.alert import Alert, Box, DetectorScore, Moment
from vigil.detect.alerts import AlertChange
from vigil.watch.revision import code_revision

Clock = Callable[[float], str | None]  # UTC of a time of the source, where it is known


class AlertRecords:
    """The alerts of one source that are open, each in its latest revision."""

    def __init__(self, source: Source, settings: str) -> None:
        self._source, self._settings = source, settings
        self._open: dict[tuple[str, int], Alert] = {}

    def revise(
        self,
        change: AlertChange,
        clock: Clock,
        size: tuple[int, int],
        peak_s: float,
        ended: delivered.Ended = "released",
        amend: Callable[[Alert], Alert] = lambda alert: alert,
    ) -> Alert:
        """The first revision of an alert that is raised, or the next of one that ends, with its peak at `peak_s`.

        `amend` may change the first revision, before anybody has it.
        """
        key = change.detector, change.number
        if change.change == "raised":
            source = self._source
            alert = make_alert(change, source.name, source.address, clock, size, self._settings)
            self._open[key] = amend(alert)
            return self._open[key]
        return end_alert(self._open.pop(key), change, peak_s, clock, size, ended)


def make_alert(
    change: AlertChange, camera: str, source: str, clock: Clock, size: tuple[int, int], settings: str
) -> Alert:
    """The first revision of an alert that has been raised; `settings` is the hash of how features are made."""
    made_by = change.provenance
    score = DetectorScore(
        detector=change.detector,
        score=change.alert.peak,
        p=change.p,
        threshold=made_by.threshold,
        threshold_by_hand=made_by.by_hand,
        budget_per_hour=made_by.budget_per_hour,
        model_sha256=made_by.model,
        calibration_sha256=made_by.calibration,
    )
    return delivered.raise_alert(
        camera=camera,
        source=source,
        start=_moment(change.alert.start_s, clock),
        label=change.finding.name,
        detectors=(score,),
        params_sha256=settings,
        code_revision=code_revision(),
        person=change.finding.person,
        region=make_region(change, size),
    )


def end_alert(
    alert: Alert, change: AlertChange, peak_s: float, clock: Clock, size: tuple[int, int], ended: delivered.Ended
) -> Alert:
    """The next revision of an alert that is over. Its label stays: it is part of what the alert is known by."""
    score = alert.detectors[0].model_copy(update={"score": change.alert.peak, "p": change.p})
    return delivered.revise(
        alert,
        detectors=(score,),
        peak=_moment(peak_s, clock),
        stop=_moment(change.alert.stop_s, clock),
        ended=ended,
        region=make_region(change, size),
    )


def _moment(time_s: float, clock: Clock) -> Moment:
    return Moment(utc=clock(time_s), source_s=round(time_s, 6))


def make_region(change: AlertChange, size: tuple[int, int]) -> Box | None:
    """Where an alert is, in shares of a picture of `size` (width, height); None: it does not say."""
    if change.finding.box is None:
        return None
    left, top, right, bottom = change.finding.box
    width, height = size
    return Box(
        left=_share(left, width), top=_share(top, height), right=_share(right, width), bottom=_share(bottom, height)
    )


def _share(edge: int, side: int) -> float:
    return min(max(edge / side, 0.0), 1.0)
