"""MQTT: alerts are published at least once (QoS 1) under `PREFIX/CAMERA/alerts`.

`PREFIX/available` says `online` or `offline`, and is retained: the broker says `offline` for a vigil that was killed or
cut off. User and password come from the environment or a file of two lines, never from the address. An alert counts as
delivered when the broker has confirmed it. What was not confirmed when the connection broke is published again.
"""

import os
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from vigil.core.counts import count
from vigil.core.errors import VigilError
from vigil.delivery.addresses import short_name, split_url
from vigil.delivery.deliveries import Delivery
from vigil.delivery.target import Interrupted, Unreachable

if TYPE_CHECKING:
    from paho.mqtt.client import Client

USER_VARIABLE, PASSWORD_VARIABLE = "VIGIL_MQTT_USER", "VIGIL_MQTT_PASSWORD"
DEFAULT_PREFIX = "vigil"
TIMEOUT_S = 10.0  # s to connect, and to confirm a message
KEEPALIVE_S = 30  # s; a broker takes us for gone after one and a half of these
PORTS = {"mqtt": 1883, "mqtts": 8883}


class Mqtt:
    """A target that is a broker: mqtt://HOST[:PORT][/PREFIX], or mqtts:// with TLS."""

    def __init__(
        self,
        address: str,
        user: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._parts = split_url(address, PORTS, "--mqtt")
        if self._parts.username is not None:
            raise VigilError(f"--mqtt: user and password belong into {USER_VARIABLE} and {PASSWORD_VARIABLE}.")
        self._prefix = unquote(self._parts.path).strip("/") or DEFAULT_PREFIX
        if any(letter in self._prefix for letter in "+#\0"):
            raise VigilError(f"--mqtt: prefix '{self._prefix}' has one of + and #, which only subscribers may use.")
        self._user, self._password, self._ca_file, self._timeout_s = user, password, ca_file, timeout_s
        self._client: Client | None = None
        self._failure: str | None = None  # why there is no connection, as paho's thread tells it
        self._connect_after = 0.0  # by time.monotonic(); while there is nothing to send
        self._is_connected = threading.Event()
        self._is_interrupted = threading.Event()

    @property
    def name(self) -> str:
        return short_name("mqtt", self._parts)

    def check(self) -> None:
        if self._ca_file is not None:
            try:
                ssl.create_default_context(cafile=self._ca_file)
            except (OSError, ssl.SSLError) as error:
                raise VigilError(f"{self._ca_file}: no certificates to check the broker with: {error}.") from None

    def is_empty(self) -> bool:
        return False

    def idle(self) -> None:
        """Be connected, so that the broker knows that we are there."""
        if (self._client is not None and self._failure is None) or time.monotonic() < self._connect_after:
            return
        try:
            self._connect()
        except (OSError, ValueError, Unreachable, Interrupted):  # the next alert says what is wrong
            self._drop()
            self._connect_after = time.monotonic() + self._timeout_s

    def send(self, delivery: Delivery) -> None:
        try:
            client = self._client if self._client is not None and self._failure is None else self._connect()
            message = client.publish(f"{self._prefix}/{topic_level(delivery.camera)}/alerts", delivery.body, qos=1)
            self._wait_for(message.is_published, "did not confirm the alert")
        except (OSError, ValueError, RuntimeError) as error:  # what paho raises; no address or a broken connection
            self._drop()
            raise Unreachable(f"cannot be reached: {error}") from None
        except (Unreachable, Interrupted):
            self._drop()
            raise

    def interrupt(self) -> None:
        self._is_interrupted.set()

    def close(self) -> None:
        """Say that we are gone, as the broker would otherwise say for us."""
        if self._client is not None and self._is_connected.is_set():
            self._client.publish(f"{self._prefix}/available", "offline", qos=1, retain=True).wait_for_publish(0.2)
        self._drop()

    def _connect(self) -> "Client":
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._drop()
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.on_connect = lambda _client, _data, _flags, reason, _properties: self._note_answer(str(reason))
        client.on_disconnect = lambda *_: self._note_answer("the connection was closed")
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._parts.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context(cafile=self._ca_file))
        client.will_set(f"{self._prefix}/available", "offline", qos=1, retain=True)
        client.connect_timeout = self._timeout_s
        self._client, self._failure = client, None
        self._is_connected.clear()
        assert self._parts.hostname is not None
        client.connect(self._parts.hostname, self._parts.port or PORTS[self._parts.scheme], KEEPALIVE_S)
        client.loop_start()
        self._wait_for(self._is_connected.is_set, "did not answer")
        client.publish(f"{self._prefix}/available", "online", qos=1, retain=True)
        return client

    def _note_answer(self, reason: str) -> None:
        if reason == "Success":
            self._is_connected.set()
        else:
            self._is_connected.clear()
            self._failure = self._failure or reason

    def _wait_for(self, is_done: Callable[[], bool], failure: str) -> None:
        """Return when it is done; Unreachable when the connection breaks or the time is up."""
        until = time.monotonic() + self._timeout_s
        while not is_done():
            if self._is_interrupted.is_set():
                raise Interrupted
            if self._failure is not None:
                raise Unreachable(f"cannot be reached: {self._failure}")
            if time.monotonic() > until:
                raise Unreachable(f"{failure} within {self._timeout_s:g} s")
            time.sleep(0.005)

    def _drop(self) -> None:
        """End the connection, with all that paho would still send of its own accord."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()


def topic_level(camera: str) -> str:
    """Returns the camera's name as one level of a topic: `/`, `+`, `#` and `%` become %2F, %2B, %23 and %25."""
    return "".join(quote(letter, safe="") if letter in "/+#%" else letter for letter in camera)


def read_login(file: Path | None) -> tuple[str | None, str | None]:
    """Returns user and password from a file of two lines, else from the environment; None where there are none."""
    if file is None:
        return os.environ.get(USER_VARIABLE) or None, os.environ.get(PASSWORD_VARIABLE) or None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise VigilError(f"{file}: cannot be read; expected two lines, user and password.") from None
    if len(lines) != 2:
        raise VigilError(f"{file}: {count(len(lines), 'line')}; expected two, user and password.")
    return lines[0], lines[1]
