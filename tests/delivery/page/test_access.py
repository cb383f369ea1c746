"""Who sees the page, and who does not."""

from collections.abc import Callable

import pytest
from page_site import TOKEN, Site
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from vigil.core.errors import VigilError
from vigil.delivery.page.access import Access, is_loopback

PATHS = ("/", "/alerts", "/status", "/metrics", "/healthz", "/evidence/a.jpg", "/logout", "/nowhere")


def test_on_this_machine_it_is_open_and_under_no_other_name(site: Site) -> None:
    assert site.client.get("/status").status_code == 200
    port = site.server.url.rpartition(":")[2]
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert site.client.get("/status", headers={"host": f"{name}:{port}"}).status_code == 200
    for name in ("evil.example", "127.0.0.1.evil.example", "192.0.2.1", "", "[::1", "localhost.evil.example"):
        answer = site.client.get("/status", headers={"host": f"{name}:{port}"})
        assert answer.status_code in {400, 403}, name
        assert "cameras" not in answer.text


def test_a_page_of_another_site_cannot_listen_in(site: Site) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(site.live, origin="http://evil.example")
    with connect(site.live, origin=site.server.url) as socket:
        assert "status" in socket.recv(timeout=5)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_token(make_site: Callable[[str | None], Site], path: str) -> None:
    site = make_site(TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"cookie": "vigil_session=open"}):
        answer = site.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "no token"})
    to_login = site.client.get(path, headers={"accept": "text/html"})
    assert (to_login.status_code, to_login.headers["location"]) == (303, "/login")
    assert site.client.get(path, headers={"authorization": f"Bearer {TOKEN}"}).status_code != 401


def test_no_page_listens_without_the_token(make_site: Callable[[str | None], Site]) -> None:
    site = make_site(TOKEN)
    with pytest.raises(InvalidStatus, match="403"):
        connect(site.live)
    with connect(site.live, additional_headers={"authorization": f"Bearer {TOKEN}"}) as socket:
        assert "status" in socket.recv(timeout=5)


def test_a_browser_signs_in_once_and_out(make_site: Callable[[str | None], Site]) -> None:
    site = make_site(TOKEN)
    assert "Token" in site.client.get("/login").text
    assert site.client.get("/static/page.css").status_code == 200
    wrong = site.client.post("/login", data={"token": "wrong"})
    assert wrong.status_code == 401
    assert "That is not the token." in wrong.text
    assert "set-cookie" not in wrong.headers
    right = site.client.post("/login", data={"token": TOKEN})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    flags = right.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert TOKEN not in right.headers["set-cookie"]
    assert site.client.get("/alerts").status_code == 200, "the client keeps the cookie"
    assert site.client.post("/logout").status_code == 303
    assert site.client.get("/alerts").status_code == 401


def test_a_session_ends_with_its_token_and_cannot_be_made_up() -> None:
    from starlette.datastructures import Headers

    first, second = Access("0.0.0.0", TOKEN), Access("0.0.0.0", TOKEN[::-1])
    cookie = first.make_cookie()
    assert first.allows(Headers({"cookie": f"vigil_session={cookie}"}))
    assert not second.allows(Headers({"cookie": f"vigil_session={cookie}"}))
    other_letter = "A" if cookie[-5] != "A" else "B"  # of the signature
    assert not first.allows(Headers({"cookie": f"vigil_session={cookie[:-5]}{other_letter}{cookie[-4:]}"}))
    assert not first.allows(Headers({"cookie": "vigil_session"}))


def test_nobody_fills_the_memory_with_a_token(make_site: Callable[[str | None], Site]) -> None:
    assert make_site(TOKEN).client.post("/login", content=b"token=" + b"a" * 5000).status_code == 413


def test_another_site_cannot_sign_a_browser_in(make_site: Callable[[str | None], Site]) -> None:
    site = make_site(TOKEN)
    answer = site.client.post("/login", data={"token": TOKEN}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "camera.example"])
def test_a_page_that_leaves_the_machine_takes_a_good_token(host: str) -> None:
    with pytest.raises(VigilError, match=f"--serve {host}: others can reach that, so it takes a token.*VIGIL_TOKEN"):
        Access(host, None)
    with pytest.raises(VigilError, match="a token of 5 characters; expected 16 or more"):
        Access(host, "short")
    assert Access(host, TOKEN).is_token(TOKEN)


def test_what_is_of_this_machine() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example", ""))


def test_a_browser_is_told_to_be_careful(site: Site) -> None:
    headers = site.client.get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
