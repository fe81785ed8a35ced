"""Where requests may go: to machines on the internet, and in the demo to this one."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from billing_portal.notices import Notice

LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class AddressRefused(Exception):
    """No request goes to this address; the notice says why."""

    def __init__(self, code: str, **values: Any) -> None:
        self.notice = Notice(code, **values)
        super().__init__(code)

    def __str__(self) -> str:
        return str(self.notice)


class PrivatePeer(OSError):
    """The name led to a machine inside our own network."""


def local_allowed() -> bool:
    return bool(settings.DEBUG or settings.DEMO)


def checked_base_url(text: str) -> str:
    """`text` as scheme, host and port (and path, if any). Raises AddressRefused."""
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", host):
        raise AddressRefused("http.no_address")
    if parts.username or parts.password:
        raise AddressRefused("http.password_in_address")
    local = host in LOCAL_HOSTS
    if local and not local_allowed():
        raise AddressRefused("http.this_machine", host=host)
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise AddressRefused("http.not_encrypted")
    if not local and _is_inside(host):
        raise AddressRefused("http.inside", host=host)
    if not local and "." not in host:
        raise AddressRefused("http.half_a_host", host=host)
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _is_inside(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # 127.1, 0x7f.1 and 2130706433 are addresses to the resolver too.
        try:
            address = ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(host)))
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global or address.is_multicast


def _refuse_private(connected: socket.socket) -> socket.socket:
    """Judge the machine really reached: a name may change its address after it was checked."""
    peer = connected.getpeername()[0]
    if _is_inside(peer):
        connected.close()
        raise PrivatePeer(peer)
    return connected


class _GuardedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(super()._new_conn())


class _GuardedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(super()._new_conn())


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedAdapter(HTTPAdapter):
    """Connects to machines on the internet only."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _GuardedHTTPPool,
            "https": _GuardedHTTPSPool,
        }
