"""The token that a request carries: one that lasts, or a short one from a login (OAuth 2).

Client credentials (RFC 6749, 4.4): name and secret go to the login in its Basic header, and nowhere
else; the short token is kept encrypted beside them and fetched again before it runs out.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote_plus

from django.db.models import Q
from django.utils import timezone

from billing_portal.notices import Notice
from integrations.core.http import Bounds, Http, Json, Manners, ProviderError
from integrations.models import Connection

# Fetched again so long before its end: a request may be under way for a while.
EARLY: Final = timedelta(seconds=60)
# Where the login does not say, and at most.
USUAL, LONGEST = timedelta(minutes=5), timedelta(days=1)
# Whoever fetches has this long; then another may.
CLAIM: Final = timedelta(seconds=30)
_BOUNDS: Final = Bounds(timeout=(5.0, 10.0), body_seconds=10.0, body_bytes=100_000)


class Tokens(Protocol):
    def current(self) -> str:
        """What to send now. Raises ProviderError."""
        ...

    def instead_of(self, refused: str) -> str:
        """Another one after a 401, "" where there is none. Raises ProviderError."""
        ...


@dataclass(frozen=True)
class Lasting:
    token: str = field(repr=False)

    def current(self) -> str:
        return self.token

    def instead_of(self, refused: str) -> str:
        return ""


@dataclass(frozen=True)
class Login:
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def fetch(self, provider: str) -> tuple[str, datetime]:
        """A new short token, and until when. Raises ProviderError; nothing else was sent."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        http = Http(
            self.token_url,
            provider=provider,
            headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
            manners=Manners(said=_error_in),
            bounds=_BOUNDS,
            attempts=1,
        )
        try:
            answer = http.search("", form={"grant_type": "client_credentials"})
        except ProviderError as error:
            raise _as_login(error, http.host) from error
        finally:
            http.close()
        token, kind = answer.get("access_token"), str(answer.get("token_type") or "Bearer")
        if not isinstance(token, str) or not 0 < len(token) <= 8_000 or kind.lower() != "bearer":
            notice = Notice("login.odd", host=http.host)
            raise ProviderError(notice, retryable=True, reached=False)
        return token, timezone.now() + _lifetime(answer)


class Tried:
    """Of a login that is being tried: kept nowhere."""

    def __init__(self, login: Login, provider: str) -> None:
        self.login, self.provider, self.token = login, provider, ""

    def current(self) -> str:
        self.token = self.token or self.login.fetch(self.provider)[0]
        return self.token

    def instead_of(self, refused: str) -> str:
        return ""


class Kept:
    """The short token of a connection. One process fetches, the others wait for what it brings."""

    def __init__(
        self,
        connection: Connection,
        provider: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.pk, self.provider, self.sleep = connection.pk, provider, sleep

    def current(self) -> str:
        return self._good_one(refused="")

    def instead_of(self, refused: str) -> str:
        return self._good_one(refused=refused)

    def _good_one(self, *, refused: str) -> str:
        while True:
            if found := self._kept(refused):
                return found
            if self._claim():
                return self._fetched(refused)
            self.sleep(0.2)

    def _kept(self, refused: str) -> str:
        row = Connection.objects.get(pk=self.pk)
        fresh = row.access_until is not None and row.access_until > timezone.now() + EARLY
        token = row.access_token or ""
        return token if fresh and token != refused else ""

    def _claim(self) -> bool:
        """Atomic in the database; one that died lets go by itself."""
        now = timezone.now()
        free = Q(access_claimed_until=None) | Q(access_claimed_until__lt=now)
        rows = Connection.objects.filter(free, pk=self.pk)
        return bool(rows.update(access_claimed_until=now + CLAIM))

    def _fetched(self, refused: str) -> str:
        if found := self._kept(refused):
            # Whoever had the claim before us has just brought it.
            Connection.objects.filter(pk=self.pk).update(access_claimed_until=None)
            return found
        row = Connection.objects.get(pk=self.pk)
        login = Login(row.token_url, row.client_id, row.client_secret or "")
        token, until = "", None
        try:
            token, until = login.fetch(self.provider)
        finally:
            # A login that was typed anew meanwhile is not overwritten by what the old one gave.
            same = Connection.objects.filter(pk=self.pk, client_id=row.client_id)
            same.update(access_token=token, access_until=until, access_claimed_until=None)
        return token


def tokens_of(connection: Connection, provider: str) -> Tokens:
    if connection.token_url:
        return Kept(connection, provider)
    return Lasting(connection.api_token or "")


def _lifetime(answer: Json) -> timedelta:
    told: Any = answer.get("expires_in")
    try:
        return min(timedelta(seconds=max(0, int(told))), LONGEST)
    except (TypeError, ValueError, OverflowError):
        return USUAL


def _as_login(error: ProviderError, host: str) -> ProviderError:
    """Of the login, whose 400 and 401 only a person mends; nothing was handed over meanwhile."""
    if error.status in (400, 401, 403):
        said = error.said or str(error.status)
        notice = Notice("login.refused", host=host, said=said)
        return ProviderError(
            notice, retryable=False, credentials=True, reached=False, status=401, said=error.said
        )
    return ProviderError(error.notice, retryable=error.retryable, reached=False, said=error.said)


def _error_in(body: Json) -> str:
    """{"error": "invalid_client", "error_description": …} (RFC 6749, 5.2)."""
    parts = (body.get("error"), body.get("error_description"))
    return ": ".join(str(part) for part in parts if part)[:300]
