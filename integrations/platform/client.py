"""HTTP of an approved platform: flow service and directory service of XP Z12-013, 1.1.0.

Knows no model. Each platform has its own hosts; both addresses lead to what stands before `/v1`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final, TypeVar

from integrations.core.http import Bounds, Files, Http, Json, Manners, ProviderError
from integrations.core.tokens import Tokens

T = TypeVar("T")
NAME: Final = "the platform"
FLOWS: Final = "/v1/flows"
DIRECTORY: Final = "/v1/directory-line/search"
# One invoice at most; the norm lets a platform answer 413 to larger ones.
BOUNDS: Final = Bounds(timeout=(5.0, 30.0), body_seconds=60.0, body_bytes=20 * 2**20)
PAGE: Final = 100


class PlatformClient:
    def __init__(
        self,
        base_url: str,
        tokens: Tokens,
        *,
        directory_url: str,
        name: str = NAME,
        attempts: int = 3,
        sleep: Callable[[float], None] = time.sleep,
        bounds: Bounds = BOUNDS,
    ) -> None:
        def opened(url: str) -> Http:
            return Http(
                url,
                provider=name,
                headers={},
                manners=Manners(said=error_in),
                bounds=bounds,
                attempts=attempts,
                sleep=sleep,
            )

        self.tokens = tokens
        self.flows = opened(base_url)
        self.directory = opened(directory_url)

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.flows.close()
        self.directory.close()

    def _asked(self, http: Http, ask: Callable[[], T]) -> T:
        """With the token of now; refused, once more with another: a 401 changed nothing there."""
        token = self.tokens.current()
        for other in (False, True):
            http.session.headers["Authorization"] = f"Bearer {token}"
            try:
                return ask()
            except ProviderError as error:
                if error.status != 401 or other:
                    raise
                token = self.tokens.instead_of(token)
                if not token:
                    raise
        raise AssertionError("unreachable")

    def create(self, info: Json, content: bytes, filename: str, media_type: str) -> Json:
        """Not tried again by itself: nobody knows whether a broken call was carried out."""
        files: Files = {
            "flowInfo": (None, json.dumps(info).encode(), "application/json"),
            "file": (filename, content, media_type),
        }
        return self._asked(self.flows, lambda: self.flows.send("POST", FLOWS, files=files))

    def search(self, where: Json) -> Json:
        body = {"limit": PAGE, "where": where}
        return self._asked(self.flows, lambda: self.flows.search(f"{FLOWS}/search", body))

    def original(self, flow_id: str) -> tuple[bytes, str]:
        query = {"docType": "Original"}
        return self._asked(self.flows, lambda: self.flows.download(f"{FLOWS}/{flow_id}", query))

    def directory_lines(self, siren: str, *, limit: int, ignore: int) -> Json:
        body = {
            "filters": {"siren": {"op": "contains", "value": siren}},
            "limit": limit,
            "ignore": ignore,
        }
        return self._asked(self.directory, lambda: self.directory.search(DIRECTORY, body))


def error_in(body: Json) -> str:
    """What a refusal says of itself: {"errorCode": …, "errorMessage": …}."""
    parts = (body.get("errorCode"), body.get("errorMessage"))
    return ": ".join(str(part) for part in parts if part)[:300]
