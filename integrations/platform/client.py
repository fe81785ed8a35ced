"""HTTP of an approved platform: flow service and directory service of XP Z12-013, 1.1.0.

Knows no model. Each platform has its own hosts; both addresses lead to what stands before `/v1`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final

from integrations.core.http import Bounds, Http, Json, Manners

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
        token: str,
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
                headers={"Authorization": f"Bearer {token}"},
                manners=Manners(said=error_in),
                bounds=bounds,
                attempts=attempts,
                sleep=sleep,
            )

        self.flows = opened(base_url)
        self.directory = opened(directory_url)

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.flows.close()
        self.directory.close()

    def create(self, info: Json, content: bytes, filename: str, media_type: str) -> Json:
        """Not tried again by itself: nobody knows whether a broken call was carried out."""
        return self.flows.send(
            "POST",
            FLOWS,
            files={
                "flowInfo": (None, json.dumps(info).encode(), "application/json"),
                "file": (filename, content, media_type),
            },
        )

    def search(self, where: Json) -> Json:
        return self.flows.search(f"{FLOWS}/search", {"limit": PAGE, "where": where})

    def original(self, flow_id: str) -> tuple[bytes, str]:
        return self.flows.download(f"{FLOWS}/{flow_id}", {"docType": "Original"})

    def directory_lines(self, siren: str, *, limit: int, ignore: int) -> Json:
        body = {
            "filters": {"siren": {"op": "contains", "value": siren}},
            "limit": limit,
            "ignore": ignore,
        }
        return self.directory.search(DIRECTORY, body)


def error_in(body: Json) -> str:
    """What a refusal says of itself: {"errorCode": …, "errorMessage": …}."""
    parts = (body.get("errorCode"), body.get("errorMessage"))
    return ": ".join(str(part) for part in parts if part)[:300]
