"""The reference rates of the European Central Bank, read from the files that it publishes.

Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates,
files eurofxref-daily.xml, eurofxref-hist-90d.xml, eurofxref-hist.xml, eurofxref.csv and
eurofxref-hist.csv, the latter two also in their .zip. A rate there is the number of units of the
currency for one euro; “N/A” and an empty cell are days on which there was none.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from django.utils.translation import gettext as _
from lxml import etree

# The whole history since 1999 is some 6 MB as XML; a zip may not swell beyond this.
MAX_BYTES: Final = 40 * 2**20
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_CURRENCY = re.compile(r"[A-Z]{3}")
_NONE = {"", "N/A"}


class NotTheFile(Exception):
    """What was given is none of the ECB's files; the message is written for staff."""


class Published(NamedTuple):
    currency: str
    on: date
    # Units of the currency for one euro.
    per_euro: Decimal


def read(content: bytes) -> Iterator[Published]:
    """Every rate in the file, in its order. Raises NotTheFile, also on the way."""
    if content[:2] == b"PK":
        content = _unpacked(content)
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:5]
    return _of_xml(content) if start[:1] == b"<" else _of_csv(content)


def _unpacked(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = [name for name in packed.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise NotTheFile(_("The archive does not hold one CSV file."))
            with packed.open(names[0]) as file:
                # Read, not asked: what an archive says about its size is a claim.
                found = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise NotTheFile(_("The archive cannot be opened.")) from error
    if len(found) > MAX_BYTES:
        raise NotTheFile(_("The file in the archive is too large."))
    return found


def _of_xml(content: bytes) -> Iterator[Published]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise NotTheFile(
            _("The file is no well-formed XML: %(error)s") % {"error": error}
        ) from error
    days = [cube for cube in root.iter(_CUBE) if cube.get("time")]
    if not days:
        raise NotTheFile(_("The file holds no rates of the European Central Bank."))
    for cube in days:
        on = _day(cube.get("time", ""), cube.sourceline)
        for each in cube.iterchildren(_CUBE):
            yield _published(each.get("currency", ""), on, each.get("rate", ""), each.sourceline)


def _of_csv(content: bytes) -> Iterator[Published]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTheFile(_("The file holds no rates of the European Central Bank.")) from error
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    try:
        head = [cell.strip() for cell in next(rows, [])]
        if not head or head[0] != "Date":
            raise NotTheFile(_("The file holds no rates of the European Central Bank."))
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            on = _day(cells[0], rows.line_num)
            for currency, rate in zip(head[1:], cells[1:], strict=False):
                # Each line of theirs ends in a comma: a last column without a name.
                if currency and rate not in _NONE:
                    yield _published(currency, on, rate, rows.line_num)
    except csv.Error as error:
        raise NotTheFile(_("The file cannot be read: %(error)s") % {"error": error}) from error


def _day(text: str, line: int) -> date:
    # The file of one day writes “24 November 2026”, the others 2026-11-24.
    for form in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise NotTheFile(_("Line %(line)s: “%(text)s” is no day.") % {"line": line, "text": text[:40]})


def _published(currency: str, on: date, text: str, line: int) -> Published:
    try:
        rate = Decimal(text)
        readable = rate.is_finite() and 0 < rate < 10**9
    except InvalidOperation:
        readable = False
    if not readable or not _CURRENCY.fullmatch(currency):
        raise NotTheFile(
            _("Line %(line)s: “%(rate)s” is no rate of %(currency)s.")
            % {"line": line, "rate": text[:40], "currency": currency[:10] or "?"}
        )
    return Published(currency, on, rate)
