"""What a user has asked `vigil detect` for, and how an alert is said to them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vigil.capture.sources import Source
from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.delivery.places import default_evidence, default_outbox
from vigil.delivery.target import Target
from vigil.delivery.targets import make_targets
from vigil.detect.alarm_words import read_budget
from vigil.detect.model_choice import Runtime
from vigil.watch.outputs import Outputs

if TYPE_CHECKING:
    from vigil.detect.alerts import AlertChange

Say = Callable[[str], object]


@dataclass(frozen=True)
class Request:
    """What a user has asked for."""

    sources: Sequence[str]
    cameras: Path | None
    names: Sequence[str] | None
    trained: Path
    runtime: Runtime
    threshold: str | None
    budget: float | None  # false alarms an hour
    calibrations: Mapping[str, Path]
    outputs: Outputs
    webhooks: Sequence[str]
    webhook_secret: Path | None
    brokers: Sequence[str]
    mqtt_login: Path | None
    mqtt_ca: Path | None
    outbox: Path | None
    keep_days: float | None  # that alerts and their evidence are kept; None: for good
    serve: str | None
    token: Path | None
    as_json: bool

    @classmethod
    def of(cls, sources: Sequence[str], options: Mapping[str, Any]) -> Self:
        """From the options of the command."""
        if options["keep_days"] is not None and not options["keep_days"] > 0:
            raise VigilError(f"--keep-days {options['keep_days']:g}: expected a number of days, above 0.")
        if not 0 < options["fps"] <= 1000:
            raise VigilError(f"--fps {options['fps']:g}: expected frames a second, above 0.")
        names = options["names"]
        fps = Fraction(options["fps"]).limit_denominator(1000)
        outputs = Outputs(**{field.name: options[field.name] for field in fields(Outputs)} | {"fps": fps})
        return cls(
            sources=sources,
            cameras=options["cameras"],
            names=None if names is None else _read_names(names),
            trained=options["trained"] or settings.root() / "models",
            runtime=options["runtime"],
            threshold=options["threshold"],
            budget=None if options["budget"] is None else read_budget(options["budget"]),
            calibrations=_read_calibrations(options["calibrations"]),
            outputs=outputs,
            webhooks=options["webhooks"],
            webhook_secret=options["webhook_secret"],
            brokers=options["brokers"],
            mqtt_login=options["mqtt_login"],
            mqtt_ca=options["mqtt_ca"],
            outbox=options["outbox"],
            keep_days=options["keep_days"],
            serve=options["serve"],
            token=options["token"],
            as_json=options["as_json"],
        )

    def choose_models(self, source: Source) -> tuple[Sequence[str] | None, dict[str, Path]]:
        """The models that are named for a source and their calibrations: those of its camera before the command's."""
        entry, calibrations = source.entry, dict(self.calibrations)
        if entry is None:
            return self.names, calibrations
        calibrations |= {name: Path(file) for name, file in entry.calibration.items()}
        return entry.models or self.names, calibrations

    def make_targets(self) -> list[Target]:
        """All that alerts are sent to; VigilError where one can never work."""
        return make_targets(
            self.outputs.alerts,
            self.webhooks,
            self.brokers,
            webhook_secret_file=self.webhook_secret,
            mqtt_login_file=self.mqtt_login,
            mqtt_ca_file=self.mqtt_ca,
        )

    @property
    def outbox_path(self) -> Path:
        """Where alerts are kept, if they are delivered."""
        return self.outbox or default_outbox()

    @property
    def evidence(self) -> Path | None:
        """The folder of pictures and clips of cameras' alerts; None where nobody asks for any."""
        return self.outputs.clips or (default_evidence() if self.delivers else None)

    @property
    def delivers(self) -> bool:
        """Whether alerts go anywhere but to the terminal."""
        return bool(self.outputs.alerts or self.webhooks or self.brokers or self.outbox or self.serve)


def describe_change(change: "AlertChange", source: str, as_json: bool) -> str:
    """An alert in one line, for a program or for a person."""
    if as_json:
        return json.dumps({"source": source} | change.to_json(), sort_keys=True)
    finding, alert = change.finding, change.alert
    surely = "" if finding.confidence is None else f" ({finding.confidence:.2f})"
    what = f"{finding.name}{surely}"
    who = "" if finding.person is None else f", person {finding.person}"
    sure = "" if change.p is None else f", p {change.p:.2f}"
    when = f"at {alert.start_s:.1f} s" if change.change == "raised" else f"{alert.start_s:.1f} to {alert.stop_s:.1f} s"
    made_by = change.provenance
    how = " (threshold set by hand)" if made_by.by_hand else ""
    if made_by.budget_per_hour is not None:
        how = f" (budget {made_by.budget_per_hour:g}/h)"
    return f"{source}: {change.change} {change.detector}: {what} {when}{sure}{who}{how}"


def _read_names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise VigilError("--models: no name in it. Leave it out for what runs by default, or name models: panic,i3d.")
    return names


def _read_calibrations(texts: Sequence[str]) -> dict[str, Path]:
    calibrations: dict[str, Path] = {}
    for text in texts:
        name, separator, path = text.partition("=")
        if not separator or not name or not path:
            raise VigilError(f"--calibration {text}: expected MODEL=FILE.")
        if name in calibrations:
            raise VigilError(f"--calibration {text}: {name} has {calibrations[name]} already. Name one for each model.")
        calibrations[name] = Path(path)
    return calibrations
