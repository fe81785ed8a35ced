"""The HTTP calls of Pipedrive: API v2, and v1 for what v2 lacks. Knows no model.

Facts and their sources: the provider's official OpenAPI files, API v2 (version 2) and v1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from billing_portal.notices import Notice
from integrations.core.http import (
    ATTEMPTS,
    Headers,
    Http,
    Json,
    Manners,
    ProviderError,
    checked_base_url,
    seconds,
)

NAME: Final = "Pipedrive"
# A request costs the same whatever it brings, so each asks for the most.
PAGE: Final = 500
MOST_IDS: Final = 100
LISTS: Final = {
    "organization": "organizations",
    "person": "persons",
    "deal": "deals",
    "product": "products",
}
ALL_STATUSES: Final = "open,won,lost,deleted"


@dataclass(frozen=True)
class Page:
    items: list[Json]
    next_cursor: str | None


def base_url_of(text: str) -> str:
    """What people paste, as the address that requests start with. Raises AddressRefused."""
    text = text.strip()
    if text and "." not in text and ":" not in text and "/" not in text:
        text = f"{text}.pipedrive.com"
    url = checked_base_url(text)
    parts = urlsplit(url)
    if (parts.hostname or "").endswith("pipedrive.com"):
        return f"{parts.scheme}://{parts.netloc}"
    for ending in ("/api/v2", "/api/v1", "/v1", "/api"):
        url = url.removesuffix(ending)
    return url


class Pipedrive:
    def __init__(
        self,
        base_url: str,
        api_token: str,
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        # As a query parameter the token would end up in logs.
        self.http = Http(
            base_url,
            provider=NAME,
            headers={"x-api-token": api_token},
            manners=Manners(asked_wait=_reset, pause=_spare, said=_said),
            attempts=attempts,
            sleep=sleep,
            before=before,
        )

    def __enter__(self) -> Pipedrive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.close()

    @property
    def requests(self) -> int:
        return self.http.requests

    def me(self) -> Json:
        """The token's owner, with `company_name` and `company_domain`."""
        data = self._data(self.http.get("/v1/users/me"))
        if not isinstance(data, dict):
            raise _odd()
        return data

    def users(self) -> list[Json]:
        return self._rows(self.http.get("/v1/users"))

    def deal_count(self) -> int | None:
        """How many deals there are, archived and deleted ones not counted; None if not told."""
        try:
            data = self._data(self.http.get("/v1/deals/summary"))
        except ProviderError as error:
            if error.retryable or error.credentials:
                raise
            return None
        count = data.get("total_count") if isinstance(data, dict) else None
        return count if isinstance(count, int) and count >= 0 else None

    def fields(self, entity: str) -> list[Json]:
        return list(self._all(f"/api/v2/{entity}Fields", {}))

    def pipelines(self) -> list[Json]:
        return list(self._all("/api/v2/pipelines", {}))

    def stages(self) -> list[Json]:
        return list(self._all("/api/v2/stages", {}))

    def changed(
        self,
        entity: str,
        *,
        since: str | None,
        cursor: str | None,
        archived: bool = False,
        limit: int = PAGE,
        newest_first: bool = False,
        status: str = ALL_STATUSES,
    ) -> Page:
        """A page of organisations, persons, deals or products, oldest change first.

        In that order, what changes while the pages are read comes again at the end.
        """
        query: dict[str, str | int] = {
            "sort_by": "update_time",
            "sort_direction": "desc" if newest_first else "asc",
            "limit": limit,
        }
        if since:
            query["updated_since"] = since
        if cursor:
            query["cursor"] = cursor
        if entity == "deal":
            query |= {"status": status, "include_fields": "products_count"}
        return self._page(f"/api/v2/{LISTS[entity]}{'/archived' if archived else ''}", query)

    def some(self, entity: str, ids: Sequence[int], *, archived: bool = False) -> list[Json]:
        """Those of `ids` that exist, by at most 100 in a request."""
        found: list[Json] = []
        for start in range(0, len(ids), MOST_IDS):
            query: dict[str, str | int] = {
                "ids": ",".join(map(str, ids[start : start + MOST_IDS])),
                "limit": MOST_IDS,
            }
            if entity == "deal":
                query |= {"status": ALL_STATUSES, "include_fields": "products_count"}
            path = f"/api/v2/{LISTS[entity]}{'/archived' if archived else ''}"
            found += self._page(path, query).items
        return found

    def one(self, entity: str, number: int) -> Json | None:
        """Also one deleted less than 30 days ago, which the lists leave out; None if it is not."""
        try:
            data = self._data(self.http.get(f"/api/v2/{LISTS[entity]}/{number}"))
        except ProviderError as error:
            if error.status in (404, 410):
                return None
            raise
        return data if isinstance(data, dict) else None

    def lines(self, deal_ids: Sequence[int]) -> list[Json]:
        """The product lines of at most 100 deals."""
        query = {"deal_ids": ",".join(map(str, deal_ids))}
        return list(self._all("/api/v2/deals/products", query))

    def instalments(self, deal_ids: Sequence[int]) -> list[Json]:
        """Of at most 100 deals; from the plan Growth upwards."""
        query = {"deal_ids": ",".join(map(str, deal_ids))}
        return list(self._all("/api/v2/deals/installments", query))

    def discounts(self, deal_id: int) -> list[Json]:
        return self._rows(self.http.get(f"/api/v2/deals/{deal_id}/discounts"))

    def products(self, ids: Sequence[int]) -> list[Json]:
        """At most 100 products of the catalogue."""
        return self._page(
            "/api/v2/products", {"ids": ",".join(map(str, ids)), "limit": MOST_IDS}
        ).items

    def _all(self, path: str, query: dict[str, str]) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page = self._page(
                path, {**query, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            )
            yield from page.items
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise _odd()
            cursor = page.next_cursor

    def _page(self, path: str, query: dict[str, str | int]) -> Page:
        answer = self.http.get(path, query)
        more = answer.get("additional_data")
        following = more.get("next_cursor") if isinstance(more, dict) else None
        if following is not None and not isinstance(following, str):
            raise _odd()
        return Page(self._rows(answer), following or None)

    def _rows(self, answer: Json) -> list[Json]:
        data = self._data(answer)
        if data is None:
            return []
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise _odd()
        return data

    @staticmethod
    def _data(answer: Json) -> Any:
        if answer.get("success") is not True:
            raise _odd()
        return answer.get("data")


def _odd() -> ProviderError:
    return ProviderError(Notice("http.odd", provider=NAME), retryable=False, status=200)


def _reset(headers: Headers) -> float | None:
    # The unit of this header is not documented; it looks like seconds.
    return seconds(headers.get("x-ratelimit-reset", ""))


def _spare(headers: Headers) -> float:
    """Slow down before the budget of the present seconds is gone."""
    remaining = seconds(headers.get("x-ratelimit-remaining", ""))
    limit = seconds(headers.get("x-ratelimit-limit", "")) or 0.0
    if remaining is None or remaining > max(1.0, limit / 20):
        return 0.0
    window = _reset(headers) or 2.0
    return min(window, 10.0) / (remaining + 1.0)


def _said(body: Json) -> str:
    words = [str(body[key]) for key in ("error", "error_info") if isinstance(body.get(key), str)]
    return ". ".join(words)
