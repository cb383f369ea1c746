"""What models look at, made of a source frame by frame: once for each frame, and only what some model needs.

    state = START
    state, stored = update(state, view, plan, finder, look) # at every frame; `stored` is None for most of them

The arithmetic is that of the stages `frames`, `landmarks`, `flow`, `trunk`, `segments` and `masked`, and so are the
results, bit by bit: a stage folds the same functions over a file. Of the frames of a source those are stored that
`frames.fps` asks for, and motion is estimated at `flow.fps` in between.

With zones, models see nothing of what lies outside them: pictures are covered there, flow is zero, and people whose
feet are outside are not among those that models look at. They are found and followed all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from vigil.core import lineage
from vigil.core.clock import exact_fraction
from vigil.core.errors import VigilError
from vigil.features import frames, masks, trunk
from vigil.features.flow import dense, heatmap
from vigil.features.frames import START as NO_TICK
from vigil.features.frames import advance_tick, decode_jpeg, encode_jpeg
from vigil.features.landmarks import choices, estimators, people_boxes
from vigil.features.landmarks.pose_table import Pose, round_pose
from vigil.features.segments import columns
from vigil.features.segments import segments as cutting
from vigil.features.zones import Zones
from vigil.footage.video.views import View
from vigil.judging.items import Picture
from vigil.judging.items import Segment as JudgedSegment
from vigil.models.checkpoint import Card

SECTIONS = ("frames", "landmarks", "flow", "trunk", "segments", "masked")  # of the settings that features are made with


@dataclass(frozen=True)
class Plan:
    """Which features are made, and how; what is None is not made."""

    frames: frames.Settings
    landmarks: choices.Settings | None = None
    poses: bool = True  # whether it is asked how people stand; else where they are
    flow: dense.Settings | None = None
    segments: cutting.Settings | None = None
    scaler: columns.Scaler | None = None
    masked: masks.Settings | None = None
    changes: trunk.Settings | None = None
    weights: tuple[str, ...] = ()  # digests of the networks that found the people whom the models learnt from
    changes_weights: Mapping[str, str] = field(default_factory=dict)  # digests of those in whose eyes things changed
    zones: Zones | None = None  # where the camera looks; None: everywhere


class StoredPicture(Picture):
    """A picture that can be kept as it is."""

    def __init__(self, jpeg: bytes) -> None:
        super().__init__(jpeg)
        self.jpeg = jpeg

    def forget_decoded(self) -> "StoredPicture":
        """The same, without what was decoded of it, which is many times as large."""
        return StoredPicture(self.jpeg)


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """A frame that models are fed, with all that the plan asks for."""

    position: int  # among the stored frames of the source
    index: int  # among all its frames
    time_s: Fraction
    size: tuple[int, int]  # px of the source, width and height
    picture: StoredPicture | None  # None of a frame of which pictures are not kept
    people: Sequence[Pose] = ()  # who is found, px of the source; nobody where no pose is needed
    judged_people: Sequence[Pose] = ()  # those of them that models look at
    plane: np.ndarray | None = None  # (3, S, S) int8: flow and people
    change: np.ndarray | None = None  # (2, C) float16
    segments: Sequence[JudgedSegment] = ()  # that end with this frame
    masked: StoredPicture | None = None
    heads: np.ndarray | None = None  # (N, 3) x, y, radius, px of the source, where somebody asks for them; heads.py

    def item(self, input_name: str) -> Any:
        """What a judge of this kind of input is fed."""
        items = {"flow": self.plane, "trunk": self.change, "segments": self.segments, "masked": self.masked}
        return items.get(input_name, self.picture)


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered of a source from frame to frame."""

    stored: int = 0  # frames so far
    tick: int = NO_TICK  # newest that is served of `frames.fps`
    flow_tick: int = NO_TICK  # and of `flow.fps`
    people: estimators.PeopleState = estimators.START
    flow: dense.State | None = None
    changes: trunk.State | None = None
    segments: cutting.State = cutting.START
    numbers: tuple[int, ...] = ()  # of the newest stored frames, as many as a segment spans


START = State()


def make_plan(cards: Sequence[Card]) -> Plan:
    """What models need; VigilError where two of them were trained on features that were made in different ways."""
    sections: dict[str, Any] = {}
    owner: dict[str, str] = {}
    for card in cards:
        for name in SECTIONS:
            if name not in card.features:
                continue
            if name in sections and (other := lineage.difference({name: sections[name]}, {name: card.features[name]})):
                raise VigilError(
                    f"{card.model} and {owner[name]} were trained on features that differ: {other}. "
                    "Run them one by one, or train both anew (`dvc repro`)."
                )
            sections[name], owner[name] = card.features[name], card.model
    inputs = {card.input for card in cards}
    has_people = bool(inputs & {"flow", "segments", "masked"})
    people = _without(sections["landmarks"], "weights") if has_people else {}
    cut = _without(sections["segments"], "scaler") if "segments" in inputs else {}
    return Plan(
        frames=frames.Settings.read(sections["frames"], "frames"),
        landmarks=choices.Settings.read(people, "landmarks") if has_people else None,
        poses=bool(inputs & {"segments", "masked"}),
        flow=dense.Settings.read(sections["flow"], "flow") if "flow" in inputs else None,
        segments=cutting.Settings.read(cut, "segments") if "segments" in inputs else None,
        scaler=columns.Scaler.of(sections["segments"]["scaler"]) if "segments" in inputs else None,
        masked=masks.Settings.read(sections["masked"], "masked") if "masked" in inputs else None,
        changes=trunk.Settings.read(_without(sections["trunk"], "weights"), "trunk") if "trunk" in inputs else None,
        weights=tuple(sections["landmarks"]["weights"]) if has_people else (),
        changes_weights=sections["trunk"]["weights"] if "trunk" in inputs else {},
    )


def update(
    state: State, view: View, plan: Plan, finder: estimators.PeopleFinder | None, look: trunk.Look | None = None
) -> tuple[State, StoredFrame | None]:
    """One frame more. `finder` finds the people for a plan with landmarks, `look` sees changes for one with trunk."""
    tick, is_stored = advance_tick(state.tick, view.time_s, exact_fraction(plan.frames.fps))
    state = replace(state, tick=tick)
    if plan.flow is not None:
        state = _update_flow(state, view, plan.flow, is_stored)
    if not is_stored:
        return state, None
    shown = view.rgb(plan.frames.size)
    jpeg = encode_jpeg(shown, plan.frames.quality)
    covered = jpeg if plan.zones is None else encode_jpeg(plan.zones.cover(shown), plan.frames.quality)
    frame = StoredFrame(state.stored, view.index, view.time_s, view.size, StoredPicture(covered))
    state = replace(state, stored=state.stored + 1)
    boxes = people_boxes.NOBODY
    if plan.landmarks is not None:
        assert finder is not None
        image = decode_jpeg(jpeg)
        found, people, boxes = estimators.find_people(state.people, image, float(view.time_s), finder)
        scale = view.size[0] / image.shape[1]
        boxes = people_boxes.scale_boxes(boxes, scale)
        poses = [round_pose(pose) for pose in estimators.poses_of_frame(people, view.index, view.time_s, scale)]
        poses.sort(key=lambda pose: pose.person)
        judged = poses if plan.zones is None else plan.zones.keep_people(poses, view.size)
        state, frame = replace(state, people=found), replace(frame, people=poses, judged_people=judged)
        if plan.masked is not None:
            image = image if plan.zones is None else plan.zones.cover(image)
            frame = replace(frame, masked=_mask(image, frame, plan.masked))
    if plan.flow is not None:
        assert state.flow is not None
        flow, motion = dense.take(state.flow, plan.flow)
        boxes = boxes if plan.zones is None else plan.zones.keep_boxes(boxes, view.size)
        heat = heatmap.people_density(boxes, view.size, plan.flow.size)
        seen = motion.flow if plan.zones is None else motion.flow * plan.zones.mask((plan.flow.size, plan.flow.size))
        plane = dense.quantise(seen, heat, plan.flow.clip)
        state, frame = replace(state, flow=flow), replace(frame, plane=plane)
    if plan.changes is not None:
        assert look is not None
        changes, change = trunk.update(state.changes, decode_jpeg(covered), float(view.time_s), look)
        state, frame = replace(state, changes=changes), replace(frame, change=change)
    if plan.segments is not None:
        assert plan.scaler is not None
        state, complete = _update_segments(state, frame, plan.segments)
        frame = replace(frame, segments=_judged(complete, state, frame, plan.segments, plan.scaler))
    return state, frame


def _update_flow(state: State, view: View, settings: dense.Settings, is_stored: bool) -> State:
    """Stored frames are looked at even where `flow.fps` would skip them."""
    tick, is_due = advance_tick(state.flow_tick, view.time_s, exact_fraction(settings.fps))
    state = replace(state, flow_tick=tick)
    if not (is_due or is_stored):
        return state
    width, height = view.size
    grey = view.grey(settings.size)
    return replace(state, flow=dense.update(state.flow, grey, float(view.time_s), settings, width / height))


def _update_segments(
    state: State, frame: StoredFrame, settings: cutting.Settings
) -> tuple[State, Sequence[cutting.Segment]]:
    cut, complete = cutting.update(state.segments, frame.index, frame.time_s, frame.judged_people, settings)
    oldest = min((int(run.frame[0]) for run in cut.runs.values() if len(run.frame)), default=frame.index)
    numbers = tuple(number for number in (*state.numbers, frame.index) if number >= oldest)
    return replace(state, segments=cut, numbers=numbers), complete


def _judged(
    complete: Sequence[cutting.Segment],
    state: State,
    frame: StoredFrame,
    settings: cutting.Settings,
    scaler: columns.Scaler,
) -> list[JudgedSegment]:
    """The segments as a judge takes them, which counts stored frames."""
    first = frame.position + 1 - len(state.numbers)
    judged = []
    for segment in complete:
        arrays = {name: getattr(segment, name)[None] for name in ("poses", "seen", "near", "time_s")}
        x = columns.segment_features(arrays | {"source_size": np.array([frame.size], np.int32)}, settings, scaler)
        start = first + int(np.searchsorted(state.numbers, segment.frame[0]))
        judged.append(JudgedSegment(segment.person, start, frame.position + 1, x[0]))
    return judged


def _mask(image: np.ndarray, frame: StoredFrame, settings: masks.Settings) -> StoredPicture:
    assert settings.hide is not None  # else there were no masked frames to learn from
    shown = frame.people if settings.hide == "people" else frame.judged_people
    people = masks.mask_people(shown, image.shape[:2], frame.size, settings.shape, settings.margin)
    return StoredPicture(encode_jpeg(masks.hide(image, people, settings.hide), settings.quality))


def _without(section: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name != key}
