"""Which windows of recordings teach a model to tell classes: windows of a known class, and bags of windows.

A window is called by how much of the abnormal part of its video it holds; see labels.py. Where that part is not known,
the label is true of the video and of no window of it: all its windows make one bag, of which only some need be
abnormal (multiple-instance learning). Normal videos give such bags too then, or being one would tell the class.
Not so a clip of a few seconds, or one that fits into a window: it counts as trimmed to what its label says. Where all
videos are such clips, each is one sample that spans it: a longer one shows its act no oftener.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vigil.clips.labels import POSITIVE, abnormal_share, label_to_class, normal_class
from vigil.clips.ticks import Ticks, clip_length
from vigil.clips.window_table import SampleRequest, WindowTable, WindowTableBuilder
from vigil.clips.windows import inside_spans
from vigil.core.errors import VigilError
from vigil.footage.video_table import Video

TRIMMED_S = 5.0  # s; what is longer and has no times is a film. Published clips of fights have 2 to 5 s


@dataclass(frozen=True, eq=False)
class Recording:
    """One video and when its stored frames and ticks are."""

    video: Video
    times: Sequence[Fraction]  # (T,) s, of the stored frames
    ticks: Ticks


def all_windows(request: SampleRequest, recordings: Sequence[Recording]) -> WindowTable:
    """Lists the windows of all recordings in order, each of the class of its video's label."""
    class_of_label, builder = label_to_class(request.classes), WindowTableBuilder()
    for recording in recordings:
        for window in request.windows(recording.ticks):
            builder.add(recording.video, window, class_of_label[recording.video.label])
    return builder.build()


def class_windows(request: SampleRequest, recordings: Sequence[Recording]) -> WindowTable:
    """Lists the windows of all recordings in order, those of a bag in a row."""
    class_of_label, normal = label_to_class(request.classes), normal_class(request.classes)
    builder = WindowTableBuilder()
    without_times = {recording.video.video for recording in recordings if _lacks_times(request, recording)}
    if without_times and normal is None:
        raise VigilError(
            f"{min(without_times)}: nobody says when it is abnormal, and none of the classes is normal: nothing tells "
            "which of its windows show its class. Give it times in labels.csv, or add a class of normal videos."
        )
    are_trimmed = _are_trimmed_clips(request, recordings)
    for recording in recordings:
        video, ticks = recording.video, recording.ticks
        class_index = class_of_label[video.label]
        if are_trimmed:
            builder.add(video, (0, len(ticks)), class_index)
            continue
        if without_times and (video.video in without_times or class_index == normal):
            builder.add_bag(video, request.judged_windows(ticks), class_index)
        if video.video in without_times:
            continue
        is_located = video.abnormal and bool(video.spans)
        abnormal = inside_spans(recording.times, video.spans)[ticks.frames] if is_located else np.empty(0, bool)
        for window in request.windows(ticks):
            share = abnormal_share(window, abnormal) if is_located else 1.0
            if share >= POSITIVE:
                builder.add(video, window, class_index)
            elif normal is not None and (not share or not request.train):
                builder.add(video, window, normal)
    return builder.build()


def _are_trimmed_clips(request: SampleRequest, recordings: Sequence[Recording]) -> bool:
    """Tells whether all recordings are short, and nobody says of any when it is abnormal."""
    abnormal = [recording.video for recording in recordings if recording.video.abnormal]
    unlocated = bool(abnormal) and not any(video.spans for video in abnormal)
    return unlocated and all(len(recording.ticks) <= _trimmed_ticks(request) for recording in recordings)


def _lacks_times(request: SampleRequest, recording: Recording) -> bool:
    """Tells whether a long recording is abnormal somewhere, and nobody says when."""
    video = recording.video
    return video.abnormal and not video.spans and len(recording.ticks) > _trimmed_ticks(request)


def _trimmed_ticks(request: SampleRequest) -> float:
    """Returns the length of the longest recording, in ticks, that counts as trimmed to what its label says."""
    return max(clip_length(request.clip, request.fps), (request.fps or 0) * TRIMMED_S)
