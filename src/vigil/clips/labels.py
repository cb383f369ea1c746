"""What a window is called: which class a label belongs to, and how much of a window is abnormal.

What a window is called follows from where the abnormal part of its video is known to be. A window that holds half of
that part, or lies half in it, is of the video's class; one that holds nothing of it is normal; what is between is left
out of training.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from vigil.clips.windows import Span
from vigil.core.errors import VigilError, near_miss
from vigil.footage.video_table import ORDINARY

POSITIVE = 0.5  # share of a window, or of the abnormal part if that is shorter, from which a window is abnormal
Classes = Mapping[str, Sequence[str]]  # name of a class -> labels of the table; in order


def label_to_class(classes: Classes) -> dict[str, int]:
    """Maps every label that a class names to the number of the class."""
    class_of_label: dict[str, int] = {}
    for number, (name, labels) in enumerate(classes.items()):
        for label in labels:
            if label in class_of_label:
                other_class = list(classes)[class_of_label[label]]
                raise VigilError(f"classes: label '{label}' is in '{other_class}' and in '{name}'. Leave it in one.")
            class_of_label[label] = number
    return class_of_label


def find_unnamed_labels(counts: Mapping[str, int], classes_of_model: Mapping[str, Classes]) -> list[str]:
    """Returns a sentence for each label that no class of any model names; `counts` are videos by label."""
    key_of_label = {
        label: f"models.{model}.classes.{name}"
        for model, classes in reversed(list(classes_of_model.items()))
        for name, labels in classes.items()
        for label in labels
    }
    sentences = []
    for label, count in sorted(counts.items()):
        if label not in key_of_label:
            hint = near_miss(label, key_of_label)
            meant_key = next((f" ({key})" for named, key in key_of_label.items() if f"'{named}'" in hint), "")
            sentences.append(
                f"no model learns from the {count} video{'s' * (count != 1)} labelled '{label}', for no class in "
                f"params.yaml names it.{hint.rstrip('?')}{meant_key}{'?' * bool(hint)} Rename the label, or add it "
                "to a class of a model"
            )
    return sentences


def normal_class(classes: Classes) -> int | None:
    """Returns the number of the class of normal behaviour, None without such a class."""
    return next((number for number, labels in enumerate(classes.values()) if set(labels) & ORDINARY), None)


def abnormal_share(span: Span, abnormal: np.ndarray) -> float:
    """Returns the share that is abnormal: of the window, or of the abnormal part where that is shorter.

    `abnormal` is (frames,) bool. A long window that holds the whole event has 1, and so has a short one within it.
    """
    start, stop = span
    return float(abnormal[start:stop].sum() / max(1, min(stop - start, abnormal.sum())))
