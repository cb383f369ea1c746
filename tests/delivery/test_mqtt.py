"""MQTT, through mosquitto and with a subscriber of its own."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from alert_feed import QUICK, drawn_alert, keys, revisions
from receivers import Broker, Subscriber, subscribed, wait_until
from servers import free_port

from vigil.core.errors import VigilError
from vigil.delivery.courier import Couriers
from vigil.delivery.mqtt import Mqtt, read_login, topic_level
from vigil.delivery.outbox import Outbox
from vigil.delivery.targets import make_targets


def heard_more_than(subscriber: Subscriber, count: int) -> bool:
    return len(subscriber.keys()) > count


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


@contextmanager
def carrying(target: Mqtt) -> Iterator[tuple[Outbox, Couriers]]:
    with Outbox(Path("outbox.sqlite"), [target.name]) as outbox, Couriers(outbox, [target], QUICK) as couriers:
        yield outbox, couriers


def test_alerts_are_published_under_their_camera_in_order(broker: Broker) -> None:
    with subscribed(broker.port) as subscriber:
        with carrying(Mqtt(f"mqtt://127.0.0.1:{broker.port}")) as (outbox, couriers):
            for alert in revisions(20, 2):
                outbox.put(alert)
            assert couriers.drain(20) == 0
        wait_until(lambda: len(subscriber.keys()) == 40)
        assert subscriber.keys() == keys(revisions(20, 2))
        assert {topic for topic, _ in subscriber.heard} == {
            "vigil/camera 0/alerts", "vigil/camera 1/alerts", "vigil/available",
        }  # fmt: skip


def test_the_broker_says_whether_vigil_is_there_also_when_it_was_killed(broker: Broker) -> None:
    program = (
        "import sys, time; from pathlib import Path; from alert_feed import QUICK; from vigil.delivery.courier import "
        "Couriers; from vigil.delivery.mqtt import Mqtt; from vigil.delivery.outbox import Outbox\n"
        "target = Mqtt(sys.argv[1])\n"
        "with Outbox(Path('outbox.sqlite'), [target.name]) as outbox, Couriers(outbox, [target], QUICK): time.sleep(60)"
    )
    address = f"mqtt://127.0.0.1:{broker.port}/house/north"
    killed = subprocess.Popen([sys.executable, "-c", program, address])
    with subscribed(broker.port, topics="house/north/available") as subscriber:
        wait_until(lambda: subscriber.heard == [("house/north/available", "online")])
        killed.kill()
        killed.wait()
        wait_until(lambda: subscriber.heard[-1][1] == "offline")
        with carrying(Mqtt(address)):
            wait_until(lambda: subscriber.heard[-1][1] == "online")
        wait_until(lambda: subscriber.heard[-1][1] == "offline")


def test_a_broker_that_is_killed_and_started_in_the_middle_gets_everything_in_order(broker: Broker) -> None:
    """The subscriber is there before vigil each time: what a broker has confirmed is its own to lose."""
    alerts = list(revisions(40, 2))
    with subscribed(broker.port) as subscriber:
        for first, last in ((0, 30), (30, 60), (60, 80)):
            with carrying(Mqtt(f"mqtt://127.0.0.1:{broker.port}", timeout_s=2.0)) as (outbox, couriers):
                for alert in alerts[first:last]:
                    outbox.put(alert)
                if last == 80:
                    assert couriers.drain(30) == 0
                    break
                wait_until(partial(heard_more_than, subscriber, first + 5))
                broker.kill()
                wait_until(lambda: outbox.deliveries.states()[0].failing_since is not None)
            subscriber.is_listening.clear()
            broker.start()
            assert subscriber.is_listening.wait(10)
        wait_until(lambda: len(subscriber.keys()) == 80)
        assert subscriber.keys() == keys(alerts)


def test_user_and_password_are_asked_for_and_said_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    passwords = tmp_path / "passwords"
    made = ["mosquitto_passwd", "-b", "-c", str(passwords)]
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}\nuser root")
    broker.command()  # skips where there is none
    subprocess.run([*made, "vigil", "hunter2"], check=True, capture_output=True)
    subprocess.run([*made[:2], str(passwords), "listener", "listener"], check=True, capture_output=True)
    login = tmp_path / "login"
    login.write_text("vigil\nhunter2\n")
    with broker, subscribed(broker.port, user="listener") as subscriber:
        address = f"mqtt://127.0.0.1:{broker.port}"
        with carrying(Mqtt(address)) as (outbox, couriers):
            outbox.put(drawn_alert(0))
            wait_until(lambda: outbox.deliveries.states() and outbox.deliveries.states()[0].last_error)
            assert outbox.deliveries.states()[0].last_error == "cannot be reached: Not authorized"
        (target,) = make_targets(brokers=[address], mqtt_login_file=login)
        assert isinstance(target, Mqtt)
        with carrying(target) as (outbox, couriers):
            assert couriers.drain(20) == 0
        wait_until(lambda: subscriber.keys() == keys([drawn_alert(0)]))
    assert "hunter2" not in caplog.text + target.name


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho's, after a failed handshake
def test_a_broker_with_tls_is_checked(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl here that makes a certificate")
    broker = Broker(tmp_path, f"allow_anonymous true\ncertfile {certificate}\nkeyfile {key}\nuser root")
    with broker:
        address = f"mqtts://127.0.0.1:{broker.port}"
        with carrying(Mqtt(address)) as (outbox, _):
            outbox.put(drawn_alert(0))
            wait_until(lambda: outbox.deliveries.states() and outbox.deliveries.states()[0].last_error)
            assert "certificate verify failed" in str(outbox.deliveries.states()[0].last_error)
        with carrying(Mqtt(address, ca_file=certificate)) as (_, couriers):
            assert couriers.drain(20) == 0
    (tmp_path / "login").write_text("nothing")
    with pytest.raises(VigilError, match="login: no certificates to check the broker with"):
        make_targets(brokers=[address], mqtt_ca_file=tmp_path / "login")


def test_a_broker_that_is_not_there_is_no_reason_to_stop() -> None:
    with carrying(Mqtt(f"mqtt://127.0.0.1:{free_port()}")) as (outbox, couriers):
        outbox.put(drawn_alert(0))
        wait_until(lambda: outbox.deliveries.states() and outbox.deliveries.states()[0].last_error)
        assert "Connection refused" in str(outbox.deliveries.states()[0].last_error)
        began = time.monotonic()
        couriers.stop()
        assert time.monotonic() - began < 1.1


def test_the_end_does_not_wait_for_a_broker_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with carrying(Mqtt(f"mqtt://127.0.0.1:{silent.getsockname()[1]}")) as (outbox, couriers):
            outbox.put(drawn_alert(0))
            connection, _ = silent.accept()
            with connection:
                began = time.monotonic()
                couriers.stop()
                assert time.monotonic() - began < 1.2
        wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("courier")])


def test_a_camera_is_one_level_of_the_topic() -> None:
    assert topic_level("yard/north #1+50%") == "yard%2Fnorth %231%2B50%25"
    assert topic_level("Straße 5") == "Straße 5"


def test_what_is_wrong_with_a_broker_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VigilError, match="user and password belong into VIGIL_MQTT_USER") as raised:
        make_targets(brokers=["mqtt://me:hunter2@example.org"])
    assert "hunter2" not in str(raised.value)
    with pytest.raises(VigilError, match=r"--mqtt example.org: not an address. Expected mqtt://HOST or mqtts://HOST"):
        make_targets(brokers=["example.org"])
    with pytest.raises(VigilError, match=r"prefix 'a/\+' has one of"):
        make_targets(brokers=["mqtt://example.org/a/+"])
    Path("login").write_text("only a user\n")
    with pytest.raises(VigilError, match="login: 1 line; expected two, user and password"):
        read_login(Path("login"))
    monkeypatch.setenv("VIGIL_MQTT_USER", "vigil")
    monkeypatch.setenv("VIGIL_MQTT_PASSWORD", "hunter2")
    assert read_login(None) == ("vigil", "hunter2")
