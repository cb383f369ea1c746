"""Settings of a training, and the learning rate as a function of where it is."""

import math
from typing import Any

import pytest

from vigil.core.errors import VigilError
from vigil.training.schedules import Plateau, TrainParams, learning_rate, merge_params

START = Plateau()


def settings(**changes: Any) -> TrainParams:
    return TrainParams.read({"epochs": 10, "lr": 0.1, **changes}, "params.yaml [train]")


def test_the_rate_is_what_was_asked_for() -> None:
    assert {learning_rate(settings(), epoch, step, 5, START) for epoch in range(10) for step in range(5)} == {0.1}


def test_warm_up_rises_in_equal_steps_to_the_learning_rate() -> None:
    rates = [learning_rate(settings(warmup=1), 0, step, 4, START) for step in range(4)] + [
        learning_rate(settings(warmup=1), 1, 0, 4, START)
    ]
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])  # 1/5 of it at the first of 4 steps


def test_cosine_is_half_in_the_middle_and_nothing_at_the_end() -> None:
    cosine = settings(schedule="cosine")
    assert learning_rate(cosine, 0, 0, 4, START) == 0.1
    assert learning_rate(cosine, 5, 0, 4, START) == pytest.approx(0.05)
    assert learning_rate(cosine, 9, 3, 4, START) == pytest.approx(0.1 * (1 + math.cos(math.pi * 9.75 / 10)) / 2)
    late = settings(schedule="cosine", warmup=2)
    assert learning_rate(late, 6, 0, 4, START) == pytest.approx(0.05)  # in the middle of what is left


def test_a_plateau_halves_the_rate_after_patience() -> None:
    """Patience 2: two epochs without a fall are borne, the third halves."""
    params, plateau, rates = settings(schedule="plateau", plateau_patience=2), START, []
    for epoch, loss in enumerate([1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.5]):
        rates.append(learning_rate(params, epoch, 0, 1, plateau))
        plateau = plateau.after(loss, params)
    assert rates == [0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    assert (plateau.lowest_loss, plateau.flat_epochs) == (0.5, 0)


def test_a_loss_below_zero_can_fall_too() -> None:
    params = settings(schedule="plateau")
    assert START.after(-1.0, params).after(-2.0, params).lowest_loss == -2.0
    assert START.after(-1.0, params).after(-1.0, params).flat_epochs == 1


def test_null_means_as_in_train() -> None:
    shared = settings(batch=16)
    assert merge_params(shared, {"epochs": None, "lr": 0.5}, "x") == settings(batch=16, lr=0.5)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"epoch": 3}, ["models.panic.train", "unknown key 'epoch'", "Did you mean 'epochs'?"]),
        ({"batch": 6, "accumulate": 4}, ["batch: 6 cannot be split into", "4 equal parts"]),
        ({"warmup": 10}, ["params.yaml [models.panic.train]: warmup: 10 epochs of 10; leave some to train in."]),
        ({"schedule": "cosin"}, ["Did you mean 'cosine'?"]),
        ({"lr": 0}, ["lr = 0", "greater than 0"]),
    ],
)
def test_wrong_settings_are_one_line_that_names_the_key(own: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(VigilError) as caught:
        merge_params(settings(), own, "params.yaml [models.panic.train]")
    for word in words:
        assert word in str(caught.value)


def test_a_device_computes_its_part_of_the_batch() -> None:
    assert settings(batch=24, accumulate=3, devices=2, nodes=2).micro_batch_size == 2
