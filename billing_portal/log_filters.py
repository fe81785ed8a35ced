"""What is written to the log without the keys that stand in some addresses."""

from __future__ import annotations

import logging
import re

# The client's link of a quote: whoever has it may read and accept.
_KEYS = re.compile(r"(/quote/)[^/\s]+")


class WithoutKeys(logging.Filter):
    """Django writes the address of what it refuses; of a link it is the key itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/quote/" in text:
            record.msg, record.args = _KEYS.sub(r"\1…", text), ()
        return True
