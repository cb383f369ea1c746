"""No secret of an address is shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.delivery.addresses import hide_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:hunter2@192.0.2.1:554/ch1", "rtsp://192.0.2.1:554/ch1"),
        ("rtsp://a@b:hunter2@192.0.2.1/ch1", "rtsp://192.0.2.1/ch1"),
        ("http://192.0.2.1/mjpg?user=me&pwd=hunter2&fps=5", "http://192.0.2.1/mjpg?user=***&pwd=***&fps=5"),
        (
            "rtsp://192.0.2.1:554/user=admin_password=hunter2_channel=1_stream=0.sdp",
            "rtsp://192.0.2.1:554/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=10", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=10"),
        ("rtsp://[::1", "rtsp://***"),
        ("films/password=1.mp4", "films/password=1.mp4"),
        ("0", "0"),
    ],
)
def test_user_and_password_are_hidden_and_nothing_else(address: str, shown: str) -> None:
    assert hide_credentials(address) == shown
    assert hide_credentials(shown) == shown


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_whatever_the_password_is_it_is_not_shown(password: str) -> None:
    shown = hide_credentials(f"rtsp://admin:XX{re.sub('[/?#@]', '', password)}XX@192.0.2.1/ch1")
    assert "XX" not in shown
