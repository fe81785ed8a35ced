"""The one call of VIES, the Commission's register of VAT ids. Knows no model.

Facts and their sources: the official description of its REST interface (“Vies on-the-Web
Endpoint”, version 1.0.0), and answers of the service itself where that is silent. REST and not
SOAP: both ask the same registers and give the same consultation number, and REST needs neither
another library nor XML from outside; so it goes through our one way out, with its guards.
"""

from __future__ import annotations

from typing import Final

from integrations.core.http import Bounds, Http, Json, Manners

NAME: Final = "VIES"
# A person waits for the answer. VIES itself gives a state some ten seconds, then says TIMEOUT.
BOUNDS: Final = Bounds(timeout=(5.0, 15.0), body_seconds=20.0, body_bytes=2**20)


class Vies:
    """Asked once, never again by itself: its states count requests, and a person may click."""

    def __init__(self, base_url: str) -> None:
        self.http = Http(
            base_url,
            provider=NAME,
            headers={},
            manners=Manners(said=error_in),
            bounds=BOUNDS,
            attempts=1,
        )

    def __enter__(self) -> Vies:
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.close()

    def check(self, vat_id: str, *, requester: str = "") -> Json:
        """What it answers about a compact id such as "DE129273398" ("EL…" for Greece, "XI…").

        With the id of who asks, it gives a consultation number. Raises ProviderError.
        """
        body: Json = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        if requester:
            body |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
        return self.http.send("POST", "/check-vat-number", body=body)


def error_in(body: Json) -> str:
    """The code of its first error, such as "MS_UNAVAILABLE"; "" without one.

    Errors come with 200 too, and then an answer may say `valid: false` beside them. `userError` is
    the word for the same in its other calls, where "VALID" and "INVALID" are no errors.
    """
    wrapped = body.get("errorWrappers")
    for each in wrapped if isinstance(wrapped, list) else ():
        if isinstance(each, dict) and isinstance(code := each.get("error"), str) and code:
            return code[:60]
    said = body.get("userError")
    if isinstance(said, str) and said not in ("", "VALID", "INVALID"):
        return said[:60]
    return "UNKNOWN" if body.get("actionSucceed") is False else ""
