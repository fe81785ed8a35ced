"""The forms of a page, read as a browser reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser


class PageForms(HTMLParser):
    """The forms of a page that change something: address and fields, filled as on the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.uploads: list[tuple[str, str, dict[str, str]]] = []
        self._open = False
        self._select = self._area = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._open = given.get("method", "").lower() == "post"
            if self._open:
                self.found.append((given.get("action", ""), {}))
        elif self._open and tag in ("input", "select", "textarea") and name:
            fields = self.found[-1][1]
            if given.get("type") == "file":
                self.uploads.append((self.found[-1][0], name, fields))
            if tag == "select":
                self._select = name
                fields[name] = ""
            elif tag == "textarea":
                self._area = name
                fields[name] = ""
            elif given.get("type") not in ("checkbox", "radio", "file") or "checked" in given:
                fields[name] = given.get("value", "on")
            else:
                fields.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self.found[-1][1][self._select] = given.get("value", "")

    def handle_data(self, text):
        if self._area:
            self.found[-1][1][self._area] += text

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def shape_of(address: str) -> str:
    """An address without what names its row: forms of one shape are read by one view."""
    return re.sub(r"\d+", "0", address.partition("?")[0])


def alone(fields: Iterable[str]) -> list[str]:
    """The fields that are worth a try by themselves: of rows that are read alike only the first."""
    later = re.compile(r"-[1-9]\d*-")
    return [name for name in fields if name != "csrfmiddlewaretoken" and not later.search(name)]
