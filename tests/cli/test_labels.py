"""A label that a model does not know: what it counts as, and that nothing is left out without a word."""

from collections.abc import Mapping
from typing import Any

import pytest

from judging import CLASSES, opened, video
from vigil.cli.labels import called
from vigil.core.errors import VigilError
from vigil.models.checkpoint import Card

POSES = {"normal": ["normal"], "theft": ["theft", "Stealing"], "assault": ["assault", "Fighting"]}


def card(model: str = "crime_gate", classes: Mapping[str, Any] = CLASSES) -> Card:
    return opened(model, dict(classes)).card


def decided(of: Card, *labels: str, **said: str) -> tuple[list[str], dict[str, str | None]]:
    kept, meant = called(of, [video(f"v{number}", label) for number, label in enumerate(labels)], said)
    return [one.label for one in kept], meant


def test_to_a_model_of_two_classes_all_that_is_not_ordinary_is_abnormal(capsys: pytest.CaptureFixture[str]) -> None:
    told, meant = decided(card(), "normal", "fight", "fight", "Arson", "dynamic", "crime")
    assert told == ["normal", "Arson", "Arson", "Arson", "normal", "Arson"]
    assert meant == {"fight": "crime", "dynamic": "normal", "crime": "crime"}
    (line,) = capsys.readouterr().err.splitlines()
    assert line == ("crime_gate: crime (1 video) counts as crime, dynamic (1 video) counts as normal, fight (2 videos) "
                    "counts as crime; --as LABEL=CLASS says otherwise")  # fmt: skip


def test_labels_that_it_knows_need_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert decided(card(), "normal", "Arson", "static") == (["normal", "Arson", "static"], {})
    assert not capsys.readouterr().err


def test_to_a_model_of_normal_alone_all_else_is_abnormal() -> None:
    assert decided(card("panic", {"normal": ["normal"]}), "normal", "fight") == (
        ["normal", "fight"],
        {"fight": "abnormal"},
    )


def test_to_one_that_draws_what_moves_whatever_is_not_static_moves() -> None:
    moving = card("activity", {"static": ["static"], "dynamic": ["panic"]})
    assert decided(moving, "static", "normal", "fight", "dynamic") == (
        ["static", "panic", "panic", "panic"],
        {"normal": "dynamic", "fight": "dynamic", "dynamic": "dynamic"},
    )


def test_a_model_of_several_classes_has_to_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    of = card("pose_lstm", POSES)
    assert decided(of, "normal", "static", "fight", "fighting") == (
        ["normal", "normal"],
        {"static": "normal", "fight": None, "fighting": None},
    )
    first, second = capsys.readouterr().err.splitlines()
    assert first == "pose_lstm: static (1 video) counts as normal; --as LABEL=CLASS says otherwise"
    assert "warning: 2 videos are left out: it does not know the labels fight (1 video), fighting (1 video)." in second
    assert "--as fight=CLASS --as fighting=CLASS, a class being one of normal, theft, assault." in second
    assert second.endswith("Did you mean 'Fighting'?"), "case is no hindrance"
    assert decided(of, "normal", "fight", fight="assault") == (["normal", "assault"], {"fight": "assault"})
    assert decided(of, "normal", "fight", fight="Fighting")[1] == {"fight": "assault"}, "its labels will do too"
    assert "left out" not in capsys.readouterr().err


def test_what_is_said_wins_and_nothing_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert decided(card(), "normal", "fight", "Arson", fight="normal", Arson="") == (
        ["normal", "normal"],
        {"fight": "normal", "Arson": None},
    )
    assert "Arson (1 video) is left out, fight (1 video) counts as normal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "said", "problem"),
    [
        (("normal", "fight"), {"fihgt": "crime"}, r"no video has that label\. There are: fight, normal\..*'fight'"),
        (("normal", "fight"), {"fight": "crme"}, r"no such class\. Expected one of normal, crime;.*'crime'"),
        (("fight",), {"fight": ""}, r"no video is left to judge: fight \(1 video\) is left out"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_line(labels: tuple[str, ...], said: dict[str, str], problem: str) -> None:
    with pytest.raises(VigilError, match=problem):
        decided(card(), *labels, **said)


def test_one_that_names_crimes_has_no_use_for_what_is_ordinary(capsys: pytest.CaptureFixture[str]) -> None:
    of = card("pose_lstm", {"Arson": ["Arson"], "Fighting": ["Fighting"]})
    assert decided(of, "normal", "Arson") == (["Arson"], {"normal": None})
    assert capsys.readouterr().err == "pose_lstm: normal (1 video) is left out; --as LABEL=CLASS says otherwise\n"
    with pytest.raises(VigilError, match=r"no video is left to judge: it does not know the labels riot \(1 video\)"):
        decided(of, "normal", "riot")
