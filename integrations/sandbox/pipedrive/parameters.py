"""Reading query parameters and cursors, and writing the two envelopes."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from integrations.sandbox.pipedrive.shapes import parse_stamp, stamp

MAX_IDS: Final = 100

Query = dict[str, str]


class Refusal(Exception):
    def __init__(self, status: int, error: str, info: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.info = status, error, info


def dump(thing: Any) -> bytes:
    return json.dumps(thing, ensure_ascii=False).encode()


def one_body(thing: bytes) -> bytes:
    return b'{"success":true,"data":' + thing + b"}"


def list_body(things: Iterable[bytes], following: str | None) -> bytes:
    end = b'],"additional_data":{"next_cursor":' + dump(following) + b"}}"
    return b'{"success":true,"data":[' + b",".join(things) + end


def write_cursor(sort_by: str, direction: str, place: tuple[Any, int]) -> str:
    return base64.urlsafe_b64encode(dump([sort_by, direction, *place])).decode().rstrip("=")


def read_cursor(cursor: str, sort_by: str, direction: str) -> tuple[Any, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        sort, way, value, last_id = json.loads(base64.urlsafe_b64decode(padded))
        if (sort, way) == (sort_by, direction) and isinstance(last_id, int):
            return value, last_id
    except (binascii.Error, ValueError, TypeError):
        pass
    raise bad_cursor()


def bad_cursor() -> Refusal:
    return Refusal(400, "Bad request", "The cursor is not one that this list gave out.")


def read_offset(cursor: str | None) -> int:
    return 0 if cursor is None else int(read_cursor(cursor, "place", "asc")[0])


def read_limit(query: Query) -> int:
    limit = integer("limit", query.get("limit", "100"))
    if not 1 <= limit <= 500:
        raise Refusal(400, "Bad request", "limit must be between 1 and 500.")
    return limit


def integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise Refusal(400, "Bad request", f"{name} must be a number.")
    return int(text)


def integers(name: str, text: str) -> list[int]:
    numbers = [integer(name, part) for part in text.split(",")]
    if len(numbers) > MAX_IDS:
        raise Refusal(400, "Bad request", f"{name} takes at most {MAX_IDS} ids.")
    return numbers


def flag(query: Query, name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise Refusal(400, "Bad request", f"{name} must be true or false.")
    return value == "true"


def moment_text(query: Query, name: str) -> str | None:
    """As text in the shape of `update_time`, so that the two compare as text."""
    if name not in query:
        return None
    try:
        moment = parse_stamp(query[name])
    except ValueError:
        raise Refusal(400, "Bad request", f"{name} must be an RFC 3339 moment.") from None
    # Our moments are whole seconds, so a fraction asks for the next one, in both parameters.
    return stamp(moment + timedelta(seconds=1) if moment.microsecond else moment)
