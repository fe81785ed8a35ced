"""The provider's two budgets: requests within two seconds, and tokens within a day."""

import threading
import time
from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 2.0
# Growth plan with six seats: 30,000 x 2 x 6.
DAILY_TOKENS: Final = 360_000
BURST: Final = 400


class Limits:
    """Counts always, refuses only if `enforce` is set (so that a demo or a measure is not slowed).

    The headers follow the count either way, but the burst remaining never reads 0 when nothing is
    enforced: a polite client would wait for nothing.
    """

    def __init__(
        self, *, burst: int = BURST, daily_tokens: int = DAILY_TOKENS, enforce: bool = False
    ) -> None:
        self.burst, self.daily_tokens, self.enforce = burst, daily_tokens, enforce
        self.spent = 0
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Count one request; False if it must be refused with 429."""
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - WINDOW_SECONDS:
                self._recent.popleft()
            if self.enforce and len(self._recent) >= self.burst:
                return False
            self._recent.append(now)
            return not (self.enforce and self.spent >= self.daily_tokens)

    def headers(self, cost: int, *, writes: bool) -> dict[str, str]:
        with self._lock:
            self.spent += cost
            remaining = max(0 if self.enforce else 1, self.burst - len(self._recent))
            tokens = max(0, self.daily_tokens - self.spent)
        headers = {
            "x-ratelimit-limit": str(self.burst),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": f"{WINDOW_SECONDS:g}",
            "x-daily-ratelimit-token-limit": str(self.daily_tokens),
            "x-daily-ratelimit-token-remaining": str(tokens),
        }
        if writes:
            headers["x-daily-requests-left"] = str(max(0, 10_000 - self.spent // 10))
        return headers
