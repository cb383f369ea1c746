"""Could a model name the class without looking? How well length, frame rate, size or bit rate alone tell it.

Per feature, two numbers with 99 % intervals over sources (whole sources are drawn again, as videos of one are alike):

    accuracy  balanced, of the class, by the commonest class in one of at most `BINS` ranges of the feature; judged on
              sources that the ranges were not made from (5 folds of sources, 3 times)
    auc       of abnormal against ordinary; below 0.5: the abnormal ones have the lower values

and for `position`, from the videos whose abnormal part is known: the auc of the place in the video for abnormal against
ordinary moments, where the score of a place is how often it is abnormal in the videos of all other sources. Its chance
is not 0.5, as a part that lasts is seldom at the very ends: it is the mean of `SHIFTS` trials in which every source has
its abnormal parts at a place drawn for it.

A feature tells when accuracy, or auc on either side of 0.5, is beyond chance by more than `MARGIN` with its whole
interval (for position: beyond 99 % of the trials). Of sets where nothing tells, about one in 20 still shows a feature
that does (one in 6 where there are 10 sources, each of one class).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from vigil.footage.video_table import Video

FEATURES = ("length", "fps", "resolution", "bit_rate")
LEAST_SOURCES = 8  # fewer say nothing about others
LEAST_OF_CLASS = 3  # sources; a class with fewer is left out
BINS = 8
FOLDS, REPEATS = 5, 3
DRAWS = 2000
LEVEL = 0.99
MARGIN = 0.05
SHIFTS = 200
MOMENTS = 20  # of a video, at which it is abnormal or not

Numbers = dict[str, float]


def measure_shortcuts(videos: Sequence[Video], sizes: Mapping[str, int], seed: int) -> dict[str, Numbers] | str:
    """Measures each feature's numbers, or says why there are none. `sizes` in bytes, of the videos that have a file."""
    counts = {
        label: len({video.source for video in videos if video.label == label}) for label in {v.label for v in videos}
    }
    usable = [video for video in videos if counts[video.label] >= LEAST_OF_CLASS]
    labels = sorted({video.label for video in usable})
    sources = len({video.source for video in usable})
    if sources < LEAST_SOURCES or len(labels) < 2:
        return (
            f"not measured: {len(videos)} videos from {len({video.source for video in videos})} sources; it takes "
            f"{LEAST_SOURCES} sources, and 2 classes with {LEAST_OF_CLASS} sources each"
        )
    numbers_of_feature: dict[str, Numbers] = {}
    for feature in FEATURES:
        with_value = [video for video in usable if _value(video, feature, sizes) is not None]
        if len({video.source for video in with_value}) >= LEAST_SOURCES:
            values = np.array([_value(video, feature, sizes) for video in with_value], float)
            rng = np.random.default_rng([seed, FEATURES.index(feature)])
            numbers = _accuracy(values, _codes([video.label for video in with_value]), _sources(with_value), rng)
            abnormal = np.array([video.abnormal for video in with_value])
            numbers_of_feature[feature] = numbers | _auc(values, abnormal, ~abnormal, _sources(with_value), rng)
    position = _position([video for video in videos if video.abnormal and video.spans and video.duration_s], seed)
    return numbers_of_feature | ({"position": position} if position else {})


def describe_shortcuts(numbers_of_feature: Mapping[str, Numbers]) -> list[str]:
    """Returns a sentence per feature that tells the class."""
    sentences = []
    for feature, numbers in numbers_of_feature.items():
        clauses = []
        if "low" in numbers and numbers["low"] > numbers["chance"] + MARGIN:
            clauses.append(
                "the class: balanced accuracy {accuracy} ({low} to {high}), chance {chance}".format(**numbers)
            )
        if "auc_low" in numbers and (numbers["auc_low"] > 0.5 + MARGIN or numbers["auc_high"] < 0.5 - MARGIN):
            clauses.append("abnormal from ordinary: AUC {auc} ({auc_low} to {auc_high})".format(**numbers))
        if "chance_high" in numbers and numbers["auc"] > numbers["chance_high"] + MARGIN:
            clauses.append("abnormal moments: AUC {auc}, chance {chance} (at most {chance_high})".format(**numbers))
        if clauses:
            sentences.append(f"{feature.replace('_', ' ')} alone tells {'; and '.join(clauses)}")
    return sentences


def _value(video: Video, feature: str, sizes: Mapping[str, int]) -> Fraction | None:
    if feature == "length":
        return video.watched_s
    if not video.pictures:
        return None
    if feature == "bit_rate":
        return sizes[video.video] / video.watched_s if video.video in sizes and video.watched_s else None
    return video.fps if feature == "fps" else Fraction(video.width * video.height)


def _codes(names: Sequence[str] | np.ndarray) -> np.ndarray:
    """Numbers the names 0, 1, ... in their order."""
    return np.unique(np.asarray(names), return_inverse=True)[1]


def _sources(videos: Sequence[Video]) -> np.ndarray:
    return _codes([video.source for video in videos])


def _accuracy(values: np.ndarray, labels: np.ndarray, sources: np.ndarray, rng: np.random.Generator) -> Numbers:
    classes, groups = int(labels.max()) + 1, int(sources.max()) + 1
    correct, total = np.zeros((2, groups, classes))
    for _ in range(REPEATS):
        fold = np.empty(groups, int)
        fold[rng.permutation(groups)] = np.arange(groups) % FOLDS
        for held_out in range(FOLDS):
            test = fold[sources] == held_out
            guess = _guess(values[~test], labels[~test], values[test], classes)
            np.add.at(correct, (sources[test], labels[test]), guess == labels[test])
            np.add.at(total, (sources[test], labels[test]), 1)
    draws = rng.multinomial(groups, np.full(groups, 1 / groups), DRAWS)
    low, high = _interval(_balanced(draws @ correct, draws @ total))
    accuracy = float(_balanced(correct.sum(0), total.sum(0)))
    return {"accuracy": round(accuracy, 3), "low": low, "high": high, "chance": round(1 / classes, 3)}


def _guess(values: np.ndarray, labels: np.ndarray, test_values: np.ndarray, classes: int) -> np.ndarray:
    """Returns the class that has the greatest share of its own in the same range of `values`."""
    distinct = np.unique(values)
    if len(distinct) <= BINS:
        edges = (distinct[1:] + distinct[:-1]) / 2
    else:
        edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    table = np.zeros((len(edges) + 1, classes))
    np.add.at(table, (np.searchsorted(edges, values, side="right"), labels), 1)
    table /= np.maximum(table.sum(0), 1)
    return table.argmax(1)[np.searchsorted(edges, test_values, side="right")]


def _balanced(correct: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Returns the mean of the shares of the classes that occur."""
    shares = correct / np.maximum(total, 1)
    return shares.sum(-1) / np.maximum((total > 0).sum(-1), 1)


def _auc(
    values: np.ndarray, positive: np.ndarray, negative: np.ndarray, sources: np.ndarray, rng: np.random.Generator
) -> Numbers:
    """Returns the AUC of points that are, or weigh, positive and negative; nothing where one kind is absent."""
    if not positive.sum() or not negative.sum():
        return {}
    groups = int(sources.max()) + 1
    ranks = _codes(values)
    draws = rng.multinomial(groups, np.full(groups, 1 / groups), DRAWS)
    low, high = _interval(
        np.array([_area(ranks, draw[sources] * positive, draw[sources] * negative) for draw in draws])
    )
    return {"auc": round(_area(ranks, positive, negative), 3), "auc_low": low, "auc_high": high}


def _area(ranks: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """Returns the area under the ROC curve of points with weights; 0.5 where one kind is absent.

    scikit-learn says the same (a test compares them) and takes 190 times as long, of which an interval needs 2,000.
    """
    above, below = np.bincount(ranks, positive), np.bincount(ranks, negative)
    pairs = above.sum() * below.sum()
    return float((above * (np.cumsum(below) - below / 2)).sum() / pairs) if pairs else 0.5


def _position(videos: Sequence[Video], seed: int) -> Numbers:
    sources = _sources(videos) if videos else np.zeros(0, int)
    if len(set(sources)) < LEAST_SOURCES:
        return {}
    spans = [
        [(float(start / video.duration_s), float(stop / video.duration_s)) for start, stop in video.spans]
        for video in videos
    ]
    rng = np.random.default_rng([seed, len(FEATURES)])
    trials = []
    for _ in range(SHIFTS):
        offsets = rng.random(int(sources.max()) + 1)
        shifts = [
            offset * (1 - video_spans[-1][1] + video_spans[0][0]) - video_spans[0][0]
            for offset, video_spans in zip(offsets[sources], spans, strict=True)
        ]
        trials.append(_moment_auc(spans, shifts, sources))
    return {
        "auc": round(_moment_auc(spans, [0.0] * len(spans), sources), 3),
        "chance": round(float(np.mean(trials)), 3),
        "chance_high": round(float(np.quantile(trials, LEVEL)), 3),
    }


def _moment_auc(spans: Sequence[Sequence[tuple[float, float]]], shifts: Sequence[float], sources: np.ndarray) -> float:
    moments = (np.arange(MOMENTS) + 0.5) / MOMENTS
    inside = np.zeros((len(spans), MOMENTS))
    for row, video_spans, shift in zip(inside, spans, shifts, strict=True):
        for start, stop in video_spans:
            row[(moments >= start + shift) & (moments < stop + shift)] = 1
    of_source = np.zeros((int(sources.max()) + 1, MOMENTS))
    np.add.at(of_source, sources, inside)
    elsewhere = (of_source.sum(0) - of_source) / (len(spans) - np.bincount(sources))[:, None]
    return _area(_codes(elsewhere[sources].ravel()), inside.ravel(), 1 - inside.ravel())


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return round(float(low), 3), round(float(high), 3)
