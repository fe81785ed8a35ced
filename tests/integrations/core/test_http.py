"""The only way out, against real sockets that misbehave."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from integrations.core import addresses, http
from integrations.core.http import AddressRefused, Http, ProviderError, checked_base_url
from integrations.pipedrive import client

# What Pipedrive does of its own.
MANNERS = http.Manners(asked_wait=client._reset, pause=client._spare, said=client._said)
OK = b'{"success": true, "data": {"value": 0.10}}'


@contextmanager
def serving(*answers):
    """A server that gives each answer once, the last for ever: (status, body, headers)."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.sent = self.rfile.read(length) if length else b""
            seen.append(self)
            status, body, headers = answers[min(len(seen), len(answers)) - 1]
            self.send_response(status)
            length = headers.pop("cut", None)
            self.send_header("Content-Length", str(length or len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if length:
                self.close_connection = True

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815  names of the base class

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


@pytest.fixture
def waits():
    return []


def reach(url, waits, **options):
    return Http(
        url,
        provider="Pipedrive",
        headers={"x-api-token": "secret"},
        manners=MANNERS,
        sleep=waits.append,
        **options,
    )


def test_numbers_with_a_point_are_decimals_and_the_token_travels_in_a_header(waits):
    with serving((200, OK, {})) as (url, seen):
        assert reach(url, waits).get("/x")["data"]["value"] == Decimal("0.10")
    assert seen[0].headers["x-api-token"] == "secret"
    assert "secret" not in seen[0].path


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_of_the_provider_is_waited_out_longer_each_time(waits, status):
    with serving(*[(status, b"{}", {})] * 3, (200, OK, {})) as (url, _seen):
        assert reach(url, waits).get("/x")["success"]
    assert len(waits) == 3
    assert 0.5 <= waits[0] <= 1.5 <= waits[2] <= 6


def test_retry_after_is_honoured_in_seconds(waits):
    with serving((429, b"{}", {"Retry-After": "7"}), (200, OK, {})) as (url, _seen):
        reach(url, waits).get("/x")
    assert 7 <= waits[0] < 7.3


def test_retry_after_is_honoured_as_a_date(waits):
    later = format_datetime(timezone.now() + timedelta(seconds=20), usegmt=False)
    with serving((429, b"{}", {"Retry-After": later}), (200, OK, {})) as (url, _seen):
        reach(url, waits).get("/x")
    assert 15 < waits[0] < 21


def test_without_retry_after_the_reset_of_the_budget_counts(waits):
    with serving((429, b"{}", {"x-ratelimit-reset": "2"}), (200, OK, {})) as (url, _seen):
        reach(url, waits).get("/x")
    assert 2 <= waits[0] < 2.3


def test_a_budget_used_up_for_hours_is_not_waited_for(waits):
    with (
        serving((429, b"{}", {"Retry-After": "7200"})) as (url, seen),
        pytest.raises(ProviderError, match="limit of requests is used up") as error,
    ):
        reach(url, waits).get("/x")
    assert error.value.retryable
    assert len(seen) == 1
    assert waits == []


def test_requests_slow_down_before_the_budget_is_gone(waits):
    low = {"x-ratelimit-limit": "80", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "2"}
    plenty = {**low, "x-ratelimit-remaining": "60"}
    with serving((200, OK, plenty), (200, OK, low)) as (url, _seen):
        client = reach(url, waits)
        client.get("/x")
        assert waits == []
        client.get("/x")
    assert waits == [1.0]


def test_a_401_is_final_and_about_credentials(waits):
    with (
        serving((401, b'{"success": false}', {})) as (url, seen),
        pytest.raises(ProviderError, match="does not accept the API token") as error,
    ):
        reach(url, waits).get("/x")
    assert error.value.credentials
    assert not error.value.retryable
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "sentence", "retryable"),
    [
        (402, b"{}", "closed or unpaid", False),
        (403, b'{"error": "No admin rights"}', "No admin rights", False),
        (403, b"<!DOCTYPE html><h1>Error 1015</h1>", "asking too often", True),
        (404, b"{}", "nothing at this place", False),
        (410, b"{}", "nothing at this place", False),
        (422, b'{"error": "bad cursor"}', "bad cursor", False),
        (200, b"<html>Welcome</html>", "web page instead of data", True),
        (200, b"upstream connect error", "not Pipedrive data", True),
        (200, b"", "empty answer", True),
        (200, b'{"success": tru', "broke off or is damaged", True),
        (200, b'{"value": NaN}', "broke off or is damaged", True),
        (200, b'{"a":' * 100_000, "broke off or is damaged", True),
    ],
)
def test_each_bad_answer_gets_a_sentence(waits, status, body, sentence, retryable):
    with (
        serving((status, body, {})) as (url, _seen),
        pytest.raises(ProviderError, match=sentence) as error,
    ):
        reach(url, waits, attempts=2).get("/x")
    assert error.value.retryable is retryable


def test_an_answer_that_breaks_off_is_asked_for_again(waits):
    with serving((200, OK[:10], {"cut": len(OK)}), (200, OK, {})) as (url, seen):
        assert reach(url, waits).get("/x")["success"]
    assert len(seen) == 2


def test_an_endless_answer_is_not_read_to_its_end(waits):
    bounds = http.Bounds(body_bytes=100_000)
    with (
        serving((200, b"x" * 300_000, {})) as (url, _seen),
        pytest.raises(ProviderError, match="larger than"),
    ):
        reach(url, waits, bounds=bounds).get("/x")


def test_a_redirect_is_not_followed_with_the_token(waits):
    with (
        serving((302, b"", {"Location": "https://elsewhere.example/x"})) as (url, seen),
        pytest.raises(ProviderError, match=r"sends us on to elsewhere\.example"),
    ):
        reach(url, waits).get("/x")
    assert len(seen) == 1


def test_nobody_listening_is_said_in_words(waits):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ProviderError, match="does not accept connections") as error:
        reach(f"http://127.0.0.1:{port}", waits, attempts=1).get("/x")
    assert error.value.retryable


def test_a_server_that_never_answers_is_given_up(waits):
    bounds = http.Bounds(timeout=(0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ProviderError, match="did not answer in time"):
            reach(url, waits, bounds=bounds, attempts=1).get("/x")


def test_a_host_without_tls_gets_nothing(waits, monkeypatch):
    monkeypatch.setattr(addresses, "_is_inside", lambda host: False)
    with (
        serving((200, OK, {})) as (url, seen),
        pytest.raises(ProviderError, match="no valid certificate"),
    ):
        reach(url.replace("http:", "https:"), waits, attempts=1).get("/x")
    assert seen == []


def test_the_token_is_never_logged(waits, caplog):
    caplog.set_level(logging.DEBUG)
    with serving((500, b"{}", {}), (200, OK, {})) as (url, _seen):
        reach(url, waits).get("/x")
    assert caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("kerlann.pipedrive.com", "https://kerlann.pipedrive.com"),
        (" https://kerlann.pipedrive.com/ ", "https://kerlann.pipedrive.com"),
        ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
        ("http://localhost:8899/", "http://localhost:8899"),
    ],
)
def test_an_address_is_tidied(given, kept):
    assert checked_base_url(given) == kept


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "not a web address"),
        ("https://", "not a web address"),
        ("https://a b.com", "not a web address"),
        ("https://x:99999999/", "not a web address"),
        ("https://me:pw@kerlann.pipedrive.com", "Leave the name and password out"),
        ("http://kerlann.pipedrive.com", "must begin with https"),
        ("ftp://kerlann.pipedrive.com", "must begin with https"),
        ("file:///etc/passwd", "not a web address"),
        ("https://10.0.0.5", "private network"),
        ("https://192.168.1.1", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[fe80::1]", "private network"),
        ("https://[::ffff:10.0.0.1]", "private network"),
        ("https://0x7f.1", "private network"),
        ("https://2130706433", "private network"),
        ("https://intranet", "not a full host name"),
    ],
)
def test_a_bad_address_is_refused_with_a_sentence(given, sentence):
    with pytest.raises(AddressRefused, match=sentence):
        checked_base_url(given)


def test_this_machine_is_a_provider_only_in_the_demo(settings):
    settings.DEMO = settings.DEBUG = False
    with pytest.raises(AddressRefused, match="this machine"):
        checked_base_url("http://127.0.0.1:8899")


def test_a_name_that_leads_into_the_private_network_is_not_talked_to(waits, monkeypatch):
    """DNS may answer differently each time, so the machine reached is judged, not the name."""
    with serving((200, OK, {})) as (url, seen):
        port = int(url.rpartition(":")[2])
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more)
        )
        with pytest.raises(ProviderError, match="leads into a private network"):
            reach(f"https://rebound.example.com:{port}", waits, attempts=1).get("/x")
    assert seen == []


# ─ Writes ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_with_a_key_is_sent_again_with_the_same_key(waits, method):
    with serving((500, b"{}", {}), (200, OK, {})) as (url, seen):
        reach(url, waits).send(method, "/x", body={"a": 1}, idempotency_key="row-7")
    assert [each.headers["Idempotency-Key"] for each in seen] == ["row-7", "row-7"]
    assert [each.sent for each in seen] == [b'{"a": 1}'] * 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_without_a_key_whose_fate_is_unknown_is_not_sent_twice(waits, method):
    with serving((500, b"{}", {}), (200, OK, {})) as (url, seen):
        with pytest.raises(ProviderError, match="trouble of its own"):
            reach(url, waits).send(method, "/x", body={})
        assert len(seen) == 1
    with serving((429, b"{}", {"Retry-After": "1"}), (200, OK, {})) as (url, seen):
        reach(url, waits).send(method, "/x", body={})
        assert len(seen) == 2


def test_an_answer_without_a_body_is_an_answer(waits):
    with serving((204, b"", {})) as (url, _seen):
        assert reach(url, waits).send("DELETE", "/x") == {}


def test_the_first_answer_tells_the_providers_time(waits):
    with serving((200, OK, {})) as (url, _seen):
        client = reach(url, waits)
        assert client.clock is None
        client.get("/x")
    assert abs((client.clock - timezone.now()).total_seconds()) < 60


# ─ Proxies ──────────────────────────────────────────────────────────────────────────────────────


def test_a_proxy_of_the_environment_does_not_lead_past_the_guard(waits, monkeypatch):
    """A proxy connects for us, so the guard would judge the proxy and not the machine behind it."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0.3)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more)
        )
        with pytest.raises(ProviderError):
            reach("https://rebound.example.com:9", waits, attempts=1).get("/x")
        with pytest.raises(TimeoutError):
            proxy.accept()


def test_a_proxy_named_in_the_settings_is_used(waits, settings):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        settings.PROVIDER_PROXY = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        asked = []

        def answer():
            line, _peer = proxy.accept()
            asked.append(line.recv(200))
            line.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(ProviderError):
            reach("https://company.example.com", waits, attempts=1).get("/x")
    assert asked[0].startswith(b"CONNECT company.example.com:443")
