"""From whom money came: found by what people know of a payer, each hit with the reason why.

A name or a former one, an invoice's number or the end of it, SIREN or VAT id, the label of an
earlier payment. Bounded: a few hits, and what no index serves is asked last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from billing_portal.keys import begins, contains, number_key, text_key
from billing_portal.money import formatted_minor
from invoices.clients.balances import Owed, balances
from invoices.models import Client, Invoice, Payment
from invoices.models.clients import account
from invoices.payments.spreading import spelled

SHOWN, LOOKED_AT = 8, 24
SHORTEST = 2
# The latest payments among which the recent payers are looked for.
LATEST = 200
LONGEST = 120


@dataclass
class Why:
    """“invoice F-2026-|0763|”: what was typed stands in the middle, to be marked."""

    word: str = ""
    before: str = ""
    match: str = ""
    after: str = ""


@dataclass
class Payer:
    client: Client
    why: Why
    # What is open, a sum per currency, and on how many invoices.
    owed: list[Owed]
    count: int = 0

    @property
    def open(self) -> str:
        sums = [(each.outstanding_minor, each.currency) for each in self.owed]
        return " · ".join(formatted_minor(minor, code) for minor, code in sums if minor)


@dataclass
class _Hits:
    """Clients in the order in which they were found, each once, by its account."""

    rows: dict[int, Why] = field(default_factory=dict)

    def add(self, found: Iterable[tuple[int, Why]]) -> None:
        for client_id, why in found:
            if not self.full:
                self.rows.setdefault(client_id, why)

    @property
    def full(self) -> bool:
        return len(self.rows) >= LOOKED_AT


def payers(text: str, on: date) -> list[Payer]:
    """Who it may be; without a text the payers of the latest payments."""
    text = " ".join(text.replace("\0", "").split())[:LONGEST]
    if not text:
        return _with_open(_recent(), on)
    key = text_key(text)
    if len(key) < SHORTEST:
        return []
    hits = _Hits()
    for look in (_by_number, _by_name, _by_id, _by_label):
        hits.add(look(text, key))
        if hits.full:
            break
    return _with_open(hits.rows, on)


def payer_called(text: str) -> list[Client]:
    """Those whose name is, or else contains, what was typed: two are enough to ask which."""
    key = text_key(text)
    if not key:
        return []
    exact = list(Client.objects.living().filter(name_key=key)[:SHOWN])
    return exact or list(Client.objects.living().called(text).order_by("name_key")[:SHOWN])


def payer_in_label(label: str) -> Client | None:
    """The client whose open invoice the bank's label names, if only one account is meant."""
    accounts = {row.client.account_id for row in open_in_label(label)}
    if len(accounts) != 1:
        return None
    return Client.objects.select_related("client_type").get(pk=accounts.pop())


def open_in_label(label: str) -> list[Invoice]:
    """The open invoices that the bank's label names, of whichever client; a few at most."""
    words = {text_key(word) for word in spelled(label)}
    words = {word for word in words if len(word) >= 4 and re.search(r"[0-9]{3}$", word)}
    if not words:
        return []
    named = Q(number_plain__in=words)
    for word in words:
        # F0747 is F-2026-0747: banks leave out the year.
        if short := re.fullmatch(r"([a-z]+)([0-9]{3,})", word):
            named |= Q(number_plain__startswith=short[1], number_plain__endswith=short[2])
    rows = Invoice.objects.outstanding().filter(named).select_related("client")
    return list(rows.order_by("next_due", "pk")[: 2 * SHOWN])


def of_others_in_label(label: str, client: Client) -> list[Invoice]:
    """Open invoices that the label names and that are not this payer's: is it the right payer?"""
    return [row for row in open_in_label(label) if row.client.account_id != client.account_id]


# ─ The ways to find one ─────────────────────────────────────────────────────────────────────────
def _by_number(text: str, key: str) -> Iterator[tuple[int, Why]]:
    """Open invoices first: their numbers are what a payer writes."""
    if not any(letter.isdigit() for letter in key):
        return
    numbered = begins("number_key", number_key(text)) | begins("number_plain", key)
    named = numbered | Q(number_plain__endswith=key)
    rows = Invoice.objects.outstanding().filter(named).select_related("client")
    for row in rows.order_by("next_due", "pk")[:SHOWN]:
        why = _marked(_("invoice"), row.number, key)
        owed = formatted_minor(row.outstanding_minor, row.currency)
        why.after += f", {owed}"
        yield row.client.account_id, why


def _by_name(text: str, key: str) -> Iterator[tuple[int, Why]]:
    living = Client.objects.living()
    for row in living.filter(begins("name_key", key)).order_by("name_key", "pk")[:LOOKED_AT]:
        yield row.pk, _marked("", row.name, key)
    inside = living.filter(name_key__contains=key).order_by("name_key", "pk")
    for row in inside[:LOOKED_AT]:
        yield row.pk, _marked("", row.name, key)
    former = Client.objects.filter(contains("name_key", text), merged_into__isnull=False)
    for row in former.order_by("name_key", "pk")[:SHOWN]:
        yield row.account_id, _marked(_("formerly"), row.name, key)


def _by_id(text: str, key: str) -> Iterator[tuple[int, Why]]:
    """SIREN or VAT id, typed whole or in its groups."""
    if len(key) < 3 or not any(letter.isdigit() for letter in key):
        return
    named = Q(siren__contains=key) | Q(vat_id__icontains=key)
    for row in Client.objects.living().filter(named).order_by("name_key", "pk")[:SHOWN]:
        known = row.siren if key in row.siren else row.vat_id
        yield row.pk, _marked(_("SIREN") if known == row.siren else _("VAT id"), known, key)


def _by_label(text: str, key: str) -> Iterator[tuple[int, Why]]:
    """The label of an earlier payment, for payers that do not write their own name."""
    if len(key) < 4:
        return
    rows = Payment.objects.filter(reference_key__contains=key).select_related("client").order_by()
    latest = sorted(rows[:LATEST], key=lambda row: (row.received_on, row.pk), reverse=True)
    for row in latest:
        yield row.client.account_id, _marked(_("earlier label"), row.reference, key)


def _recent() -> dict[int, Why]:
    """Who paid last, as far as the latest payments tell."""
    rows = Payment.objects.filter(reverses__isnull=True, imported=False).select_related("client")
    found: dict[int, Why] = {}
    for row in rows.order_by("-pk")[:LATEST]:
        if len(found) < SHOWN:
            found.setdefault(row.client.account_id, Why())
    return found


# ─ What is said of each ─────────────────────────────────────────────────────────────────────────
def _with_open(found: dict[int, Why], on: date) -> list[Payer]:
    clients = Client.objects.select_related("client_type").in_bulk(found)
    owed, counts = balances(found, on), _open_counts(list(found))
    rows = [
        Payer(clients[pk], why, owed.get(pk, []), counts.get(pk, 0))
        for pk, why in found.items()
        if pk in clients
    ]
    # Who owes something is meant more often than who does not; else as they were found.
    return sorted(rows, key=lambda row: not row.count)[:SHOWN]


def _open_counts(accounts: list[int]) -> dict[int, int]:
    """On how many invoices each account owes."""
    owing = Invoice.objects.outstanding().filter(
        Q(client__in=accounts) | Q(client__merged_into__in=accounts)
    )
    rows = owing.order_by().annotate(account=account()).values("account").annotate(n=Count("pk"))
    return dict(rows.values_list("account", "n"))


def _marked(word: str, text: str, key: str) -> Why:
    """Where in `text` the letters of `key` stand, whatever accents and signs are between them."""
    letters = [(at, letter) for at, sign in enumerate(text) for letter in text_key(sign)]
    start = "".join(letter for _at, letter in letters).find(key)
    if start < 0:
        return Why(word, text)
    first, last = letters[start][0], letters[start + len(key) - 1][0]
    return Why(word, text[:first], text[first : last + 1], text[last + 1 :])
