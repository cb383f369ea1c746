"""Webhooks, to a receiver in a process of its own."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alert_feed import QUICK, SECRET, drawn_alert, keys, revisions
from receivers import Receiver, free_port, wait_until

from vigil.core.errors import VigilError
from vigil.delivery.alert import read_alert
from vigil.delivery.courier import Couriers
from vigil.delivery.deliveries import TargetState
from vigil.delivery.outbox import Outbox
from vigil.delivery.target import Backoff
from vigil.delivery.targets import make_targets
from vigil.delivery.webhook import Webhook, retry_after_s, sign

FIRST = keys([drawn_alert(0)])[0]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "receiver") as receiver:
        yield receiver


@contextmanager
def carrying(url: str, timeout_s: float = 5.0, backoff: Backoff = QUICK) -> Iterator[tuple[Outbox, Couriers]]:
    webhook = Webhook(url, SECRET, timeout_s)
    with Outbox(Path("outbox.sqlite"), [webhook.name]) as outbox, Couriers(outbox, [webhook], backoff) as couriers:
        yield outbox, couriers


def state(outbox: Outbox) -> TargetState:
    return outbox.deliveries.states()[0]


def test_an_alert_is_posted_signed_and_with_a_key(receiver: Receiver) -> None:
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        assert couriers.drain(20) == 0
    (post,) = receiver.posts()
    assert read_alert(post["body"], "post") == drawn_alert(0)
    headers = post["headers"]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == headers["idempotency-key"] == FIRST
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{post['body']}".encode()
    expected = hmac.new(b"secret of the tests", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_the_signature_is_that_of_the_published_example() -> None:
    """The example of the specification of Standard Webhooks."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_that_answers_500_gets_it_until_it_takes_it(receiver: Receiver) -> None:
    receiver.behave({"code": 500, "text": "database\nis locked"})
    with carrying(receiver.url) as (outbox, couriers):
        for alert in revisions(3, 1):
            outbox.put(alert)
        wait_until(lambda: len(receiver.posts()) > 3)
        assert state(outbox).last_error == "answers 500 Internal Server Error: database is locked"
        receiver.behave("take")
        assert couriers.drain(20) == 0
        assert state(outbox).last_error is None
    assert receiver.taken() == keys(revisions(3, 1))


def test_a_receiver_that_never_answers_is_given_up_after_a_while_and_tried_again(receiver: Receiver) -> None:
    receiver.behave("hang")
    with carrying(receiver.url, timeout_s=0.3) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(lambda: len(receiver.posts()) > 1)
        assert state(outbox).last_error == "no answer within 0.3 s"
        receiver.behave("take")
        assert couriers.drain(20) == 0


def test_the_end_does_not_wait_for_a_receiver_that_never_answers(receiver: Receiver) -> None:
    receiver.behave("hang")
    with carrying(receiver.url, timeout_s=30.0) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(receiver.posts)
        began = time.monotonic()
        couriers.stop()
        assert time.monotonic() - began < 1.1
        assert outbox.deliveries.waiting([state(outbox).name]) == 1


def test_what_is_refused_is_parked_and_what_comes_after_it_is_delivered(receiver: Receiver) -> None:
    receiver.behave({"code": 422, "text": "no such camera", "for": drawn_alert(0).id})
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        outbox.put(drawn_alert(1))
        assert couriers.drain(20) == 0
        assert state(outbox).parked == 1
        assert state(outbox).last_error == "answers 422 Unprocessable Entity: no such camera"
    assert [post["headers"]["webhook-id"] for post in receiver.posts()] == [FIRST, keys([drawn_alert(1)])[0]]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.behave({"code": 308, "headers": {"Location": receiver.url.replace("alerts", "elsewhere")}})
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        assert couriers.drain(20) == 0
        assert state(outbox).last_error == "answers 308 Permanent Redirect"
    assert len(receiver.posts()) == 1


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_respected(receiver: Receiver, code: int) -> None:
    receiver.behave({"code": code, "headers": {"Retry-After": "1"}})
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(receiver.posts)
        receiver.behave("take")
        assert couriers.drain(20) == 0
    first, second = receiver.posts()
    assert second["at"] - first["at"] >= 1.0


def test_retry_after_may_be_a_date_or_nonsense() -> None:
    now = datetime(2026, 10, 27, 18, 0, tzinfo=UTC)
    assert retry_after_s("120", now) == 120
    assert retry_after_s("Tue, 27 Oct 2026 18:01:30 GMT", now) == 90
    for text in (None, "", "soon", "-5", "Tue, 27 Oct 2026 17:00:00 GMT", "1e999", "Tue, 27 Oct 2026 18:01:30"):
        assert retry_after_s(text, now) == 0, text


def test_a_receiver_that_dies_before_it_answers_gets_the_same_key_again(receiver: Receiver) -> None:
    receiver.behave("drop")
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(receiver.posts)
        receiver.behave("take")
        assert couriers.drain(20) == 0
    assert {post["headers"]["webhook-id"] for post in receiver.posts()} == {FIRST}
    assert len(receiver.posts()) >= 2


def test_a_receiver_that_is_killed_and_started_in_the_middle_gets_everything_in_order(receiver: Receiver) -> None:
    alerts = list(revisions(60, 3))
    with carrying(receiver.url) as (outbox, couriers):
        for number, alert in enumerate(alerts):
            outbox.put(alert)
            if number in (20, 70):
                wait_until(lambda: len(receiver.taken()) > 10)
                receiver.kill()
            if number in (50, 100):
                receiver.start()
        assert couriers.drain(30) == 0
    taken = receiver.taken()
    assert sorted(taken) == sorted(keys(alerts))
    for n in range(3):
        of_camera = [key for alert, key in zip(alerts, keys(alerts), strict=True) if alert.camera == f"camera {n}"]
        assert [key for key in taken if key in of_camera] == of_camera


def test_nobody_at_the_address_is_one_line_and_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    with carrying(f"http://127.0.0.1:{free_port()}/?token=hidden") as (outbox, _):
        outbox.put(drawn_alert(0))
        wait_until(lambda: outbox.deliveries.states() and outbox.deliveries.states()[0].last_error)
        assert state(outbox).waiting == 1
    assert len(caplog.messages) == 1
    assert "cannot be reached" in caplog.messages[0]
    assert "hidden" not in caplog.text


def test_the_name_of_a_webhook_shows_no_secret_and_tells_two_apart() -> None:
    names = {Webhook(f"https://user:pass@hooks.example.org/{path}?token=abc", SECRET).name for path in ("x1", "x2")}
    assert len(names) == 2
    assert all(name.startswith("webhook hooks.example.org ") for name in names)


def test_what_is_wrong_with_a_webhook_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGIL_WEBHOOK_SECRET", raising=False)
    with pytest.raises(
        VigilError, match=r"no secret to sign with\. Put one into the environment as VIGIL_WEBHOOK_SECRET"
    ):
        make_targets(webhooks=["https://example.org/"])
    monkeypatch.setenv("VIGIL_WEBHOOK_SECRET", "plain words")
    assert len(make_targets(webhooks=["https://example.org/"])) == 1
    for url in ("example.org/hook", "ftp://example.org", "https://", "http://example.org:port/"):
        with pytest.raises(VigilError, match=f"--webhook {url}: not an address. Expected https://HOST or http://HOST"):
            make_targets(webhooks=[url])
    with pytest.raises(VigilError, match="not base64 after that"):
        Webhook("https://example.org/", "whsec_?")
    Path("empty").write_text("\n")
    with pytest.raises(VigilError, match="empty: empty; expected a secret"):
        make_targets(webhooks=["https://example.org/"], webhook_secret_file=Path("empty"))
    with pytest.raises(VigilError, match=r"webhook example\.org .*: named as an output twice"):
        make_targets(webhooks=["https://example.org/a", "https://example.org/a"])


def test_the_body_is_the_same_in_every_attempt(receiver: Receiver) -> None:
    receiver.behave("fail")
    with carrying(receiver.url) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(lambda: len(receiver.posts()) > 2)
        receiver.behave("take")
        assert couriers.drain(20) == 0
    assert len({post["body"] for post in receiver.posts()}) == 1
    assert json.loads(receiver.posts()[0]["body"])["id"] == drawn_alert(0).id
