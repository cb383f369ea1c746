"""Which class of a model each label of other footage stands for. Nothing is left out without a word.

A model knows the labels that it was trained on. Any other is normal if it is ordinary (see footage/video_table.py), and
abnormal to a model that knows nothing but normal and abnormal, for what is not normal is what it is asked about. To a
model with more classes the user has to say what it is.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vigil.clips.labels import label_to_class, normal_class
from vigil.core.errors import VigilError, near_miss
from vigil.footage.video_table import ORDINARY, Video
from vigil.models.checkpoint import Card

ABNORMAL = "abnormal"  # to a model whose only class is normal
ClassOfLabel = dict[str, str | None]  # None: videos of that label are left out


@dataclass(frozen=True)
class Decision:
    """What the labels that the model does not know stand for."""

    class_of_label: ClassOfLabel
    undecided: tuple[str, ...]  # labels that are left out because the user has to say what they are


def match_labels(
    card: Card, videos: Sequence[Video], class_of_label: Mapping[str, str]
) -> tuple[list[Video], ClassOfLabel]:
    """The videos that the model can judge, under labels that it knows, and what the labels that it did not know became.

    `class_of_label` is what the user says: a class of the model, a label that it knows, or "" to leave videos out.
    """
    counts = Counter(video.label for video in videos)
    decision = decide_classes(card, counts, class_of_label)
    decided, undecided = describe_decision(card, counts, decision)
    matched = relabel_videos(card, videos, decision)
    if not matched:
        raise VigilError(f"{card.model}: no video is left to judge: {undecided or decided}")
    if decided:
        print(f"{card.model}: {decided}; --as LABEL=CLASS says otherwise", file=sys.stderr)
    if undecided:
        left_out = len(videos) - len(matched)
        print(f"{card.model}: warning: {left_out} videos are left out: {undecided}", file=sys.stderr)
    return matched, decision.class_of_label


def decide_classes(card: Card, counts: Mapping[str, int], class_of_label: Mapping[str, str]) -> Decision:
    """The class of every label that the model does not know, the user's word first; `counts` are videos by label."""
    for label, name in class_of_label.items():
        if label not in counts:
            raise VigilError(
                f"--as {label}={name}: no video has that label. There are: {', '.join(sorted(counts))}."
                f"{near_miss(label, counts)}"
            )
    trained_on = label_to_class(card.classes)
    by_itself = {label: _obvious_class(card, label) for label in sorted(counts) if label not in trained_on}
    by_user = {label: _class_named(card, label, name) for label, name in class_of_label.items()}
    undecided = tuple(
        label
        for label, class_name in by_itself.items()
        if class_name is None and label not in by_user and not _has_no_class(card, label)
    )
    return Decision(by_itself | by_user, undecided)


def describe_decision(card: Card, counts: Mapping[str, int], decision: Decision) -> tuple[str, str]:
    """What was decided, and what the user has to say about the rest; each empty where there is nothing."""

    def with_count(label: str) -> str:
        return f"{label} ({counts[label]} video{'s' * (counts[label] != 1)})"

    decided = ", ".join(
        f"{with_count(label)} {'is left out' if class_name is None else f'counts as {class_name}'}"
        for label, class_name in sorted(decision.class_of_label.items())
        if label not in decision.undecided
    )
    if not decision.undecided:
        return decided, ""
    hints = dict.fromkeys(
        near_miss(label, [*card.classes, *label_to_class(card.classes)]) for label in decision.undecided
    )
    return decided, (
        f"it does not know the labels {', '.join(map(with_count, decision.undecided))}. Say what they are: "
        f"{' '.join(f'--as {label}=CLASS' for label in decision.undecided)}, "
        f"a class being one of {', '.join(card.classes)}.{''.join(hints)}"
    )


def relabel_videos(card: Card, videos: Sequence[Video], decision: Decision) -> list[Video]:
    """The videos without those that are left out, each under a label that the model was trained on.

    To a model whose only class is normal, what is abnormal keeps its label.
    """
    relabelled = []
    for video in videos:
        if video.label not in decision.class_of_label:
            relabelled.append(video)
        elif class_name := decision.class_of_label[video.label]:
            relabelled.append(replace(video, label=card.classes.get(class_name, [video.label])[0]))
    return relabelled


def _obvious_class(card: Card, label: str) -> str | None:
    """The class of a label of which the user says nothing; None where it cannot be told."""
    names, normal = list(card.classes), normal_class(card.classes)
    if label in names:
        return label
    if normal is None:
        return None
    if label in ORDINARY and card.clip.target != "cells":  # to which only what does not move is ordinary
        return names[normal]
    other = [*names[:normal], *names[normal + 1 :]] or [ABNORMAL]
    return other[0] if len(other) == 1 else None


def _has_no_class(card: Card, label: str) -> bool:
    """Whether there can be no class for it: an ordinary label, to a model that only names what is abnormal."""
    return label in ORDINARY and normal_class(card.classes) is None


def _class_named(card: Card, label: str, name: str) -> str | None:
    """The class that the user names, by itself or by one of its labels; None for an empty name."""
    names, trained_on = list(card.classes), label_to_class(card.classes)
    if not name:
        return None
    if name in names:
        return name
    if name in trained_on:
        return names[trained_on[name]]
    raise VigilError(
        f"--as {label}={name}: {card.model} has no such class. Expected one of {', '.join(names)}; or nothing, "
        f"which leaves those videos out.{near_miss(name, [*names, *trained_on])}"
    )
