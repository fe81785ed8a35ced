"""A document in its editor, whatever its kind: what is typed, what is wrong, what it adds up to.

The draft of an invoice, a quote and a subscription are edited alike. What one kind has of its own
stands in a subclass: its form, its lines, how it is saved and what its page says beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.vat import vat_treatment
from invoices.documents.nature import Nature
from invoices.documents.paper import Paper
from invoices.documents.totals import Totals, TotalsRefused
from invoices.invoicing.draft_lines import MAX_LINES
from invoices.invoicing.drafting import preview_totals
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.forms.adjustments import AdjustedForm, rearranged
from invoices.invoicing.forms.lines import TypedLine
from invoices.invoicing.views.by_the_rules import follow_the_rules, vat_choices
from invoices.models import Client, Company, Invoice, QuoteVersion, Subscription
from invoices.models.natures import USUAL_NATURE

Document = TypeVar("Document", bound=Invoice | QuoteVersion | Subscription)
# How the rules name what the form of each kind has under another name.
FIELD_NAMES: Mapping[str, str] = dict.fromkeys(("terms_kind", "terms_days", "terms_id"), "terms")
LINE_NAMES: Mapping[str, str] = {"vat_rate": "vat", "vat_category": "vat"}


@dataclass
class DocumentEditor(Generic[Document]):
    """As it stands in the form: typed, perhaps not saved, perhaps not even readable."""

    document: Document
    form: AdjustedForm
    lines: list[Any]
    on: date
    # Sentences about the whole, above the form.
    problems: list[str] = field(default_factory=list)
    stale: bool = False
    saved: bool = True
    # What is saved beside the form: a step back may give the draft to another client.
    also: dict[str, Any] = field(default_factory=dict)

    line_class: ClassVar[type[TypedLine]] = TypedLine
    field_names: ClassVar[Mapping[str, str]] = FIELD_NAMES
    # What its rules raise when nothing may be saved.
    refused: ClassVar[tuple[type[Exception], ...]]
    # Names of its addresses by what is asked there: edit, totals, preview, page.
    addresses: ClassVar[Mapping[str, str]]
    # Pieces of the page that speak of what is stored: they come anew each time it is kept.
    of_stored: ClassVar[Sequence[str]] = ()

    # ─ What each kind says itself ───────────────────────────────────────────────────────────────
    @classmethod
    def form_of(cls, document: Document, on: date, given: Any = None) -> AdjustedForm:
        raise NotImplementedError

    @classmethod
    def rows_of(cls, document: Document) -> list[Any]:
        """The lines that are stored, as they would be typed."""
        raise NotImplementedError

    @property
    def client(self) -> Client:
        raise NotImplementedError

    @property
    def address_id(self) -> int:
        """What stands in its addresses."""
        return self.document.pk

    def save(
        self, values: Sequence[Mapping[str, Any]], *, by: User | None, seen: datetime | None = None
    ) -> dict[str, str]:
        """Into the rows; problems by field. Raises one of `refused`."""
        raise NotImplementedError

    def locked(self) -> Document | None:
        """The row under its lock; None when it can no longer be changed."""
        raise NotImplementedError

    def anew(self) -> Self:
        """As its rows are now."""
        raise NotImplementedError

    def paper(self) -> Paper:
        """Of the stored rows. Raises one of `refused`, TotalsRefused, IssueRefused."""
        raise NotImplementedError

    def printed(self, paper: Paper) -> bytes:
        """The PDF. Raises PdfRefused."""
        raise NotImplementedError

    def context_of_stored(self, reader: User) -> dict[str, Any]:
        """What the pieces of `of_stored` show."""
        return {}

    def given_back(self, client_id: int) -> dict[str, Any]:
        """What a step back saves beside the form, of a version that was for this client."""
        return {}

    @property
    def begun_by(self) -> User | None:
        return self.document.created_by  # type: ignore[union-attr]

    @property
    def keeps_itself(self) -> bool:
        """Whether it is saved while somebody types: nothing follows from a draft by itself."""
        return True

    # ─ What they have in common ─────────────────────────────────────────────────────────────────
    @classmethod
    def stored(cls, document: Document, on: date) -> Self:
        return cls(document, cls.form_of(document, on), cls.rows_of(document), on)

    @classmethod
    def typed(cls, document: Document, given: QueryDict, on: date) -> Self:
        lines = typed.read(given, cls.line_class)
        return cls(document, cls.form_of(document, on, given), lines, on, saved=False)

    @property
    def currency(self) -> str:
        return self.form.chosen_currency

    def address(self, what: str) -> str:
        name = self.addresses.get(what)
        return reverse(name, args=[self.address_id]) if name else ""

    def header(self) -> dict[str, Any]:
        return {**self.form.header(), **self.also}

    def clean_lines(self) -> list[dict[str, Any]]:
        return typed.clean(self.lines, self.currency)

    def totals(self, values: Sequence[Mapping[str, Any]]) -> Totals:
        """Of lines that could be read, with discounts and charges. Raises TotalsRefused."""
        return self.adding_up(values, self.form.adjustments)

    def adding_up(
        self, values: Sequence[Mapping[str, Any]], adjustments: Sequence[Mapping[str, str]]
    ) -> Totals:
        """Of what of the lines counts, with these discounts and charges. Raises TotalsRefused."""
        return preview_totals(values, self.currency, (), adjustments)

    def check(self) -> list[dict[str, Any]]:
        """Clean the head and the lines; what the rules want of the lines that could be read."""
        self.form.is_valid()
        values = self.clean_lines()
        for line in self.lines:
            if line.place is None:
                continue
            given = values[line.place]
            try:
                net_minor = self.totals_of_one(given).net_minor
            except TotalsRefused as refusal:
                line.errors[""] = str(refusal)
            else:
                # Nothing beside a line without a price: 0.00 would say that it is free.
                line.net = "" if given["price_missing"] else typed.bare(net_minor, self.currency)
        return values

    def totals_of_one(self, value: Mapping[str, Any]) -> Totals:
        return preview_totals([value], self.currency)

    @property
    def has_errors(self) -> bool:
        return bool(self.problems or self.form.errors or any(line.errors for line in self.lines))

    def take(self, problems: Mapping[str, str]) -> None:
        """Put what the rules found where it belongs."""
        for key, text in problems.items():
            head, *rest = key.split(".")
            name = self.field_names.get(head, head)
            if head == "lines" and rest:
                part = rest[1] if len(rest) > 1 else ""
                for line in self.lines:
                    if line.place == int(rest[0]):
                        line.errors.setdefault(LINE_NAMES.get(part, part), text)
            elif name in self.form.fields:
                self.form.add_error(name, text)
            else:
                self.problems.append(text)

    def readable(self, values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of the checked lines those that have nothing wrong."""
        return [
            values[line.place] for line in self.lines if line.place is not None and not line.errors
        ]

    # ─ Lines ────────────────────────────────────────────────────────────────────────────────────
    def rearranged(self, act: str) -> bool:
        """Buttons that change the lines on the page, without script; nothing is saved."""
        if (given := rearranged(self.form.data, act)) is not None:
            self.form = self.form_of(self.document, self.on, given)
            return True
        if act == "vat":
            follow_the_rules(self.lines, self.client, as_supplied(self), self.on)
            return True
        word, _dash, number = act.partition("-")
        if act == "add":
            if len(self.lines) <= MAX_LINES:
                self.lines.append(self.new_line(Company.ours()))
            return True
        if word not in ("remove", "up", "down") or not (number.isascii() and number.isdigit()):
            return False
        n, lines = int(number[:6]), self.lines
        other = n - 1 if word == "up" else n + 1
        if word == "remove":
            del lines[n : n + 1]
        elif n < len(lines) and 0 <= other < len(lines):
            lines[n], lines[other] = lines[other], lines[n]
        return True

    def new_line(self, company: Company | None) -> TypedLine:
        nature = company.usual_nature if company else USUAL_NATURE
        return self.line_class(nature=nature, vat=self.usual_vat(company, nature))

    def usual_vat(self, company: Company | None, nature: str) -> str:
        """What a new line is taxed with, from where the client is."""
        treatment = vat_treatment(self.client, company, nature, document=as_supplied(self))
        return typed.vat_value(treatment.category, treatment.rate)


def as_supplied(editor: DocumentEditor[Document]) -> Document:
    """The document with what is typed of where it goes, in memory."""
    found = copy(editor.document)
    if editor.form.is_bound and editor.form.is_valid() is not None:
        for name, value in editor.form.supplied().items():
            setattr(found, name, value)
    return found


def read_lines(editor: DocumentEditor[Any], *, live: bool) -> list[dict[str, Any]]:
    """The lines as typed, with the net of each; what was found wrong before stays said."""
    if not (editor.lines or live):
        # The first line waits for its words: nothing is saved of it while it stays empty.
        editor.rearranged("add")
    before = [dict(line.errors) for line in editor.lines]
    values = editor.check()
    for line, errors in zip(editor.lines, before, strict=True):
        line.errors = {**errors, **line.errors}
    return values


def context_of(
    editor: DocumentEditor[Any],
    *,
    live: bool,
    vat_day: date | None = None,
    company: Company | None = None,
) -> dict[str, Any]:
    """What the frame of every editor shows; each kind adds its own, and its sums."""
    document, form, on = editor.document, editor.form, editor.on
    company = company or Company.ours()
    return {
        "editor": editor,
        "document": document,
        "client": editor.client,
        "form": form,
        "lines": editor.lines,
        "begins": not form.is_bound and not any(line.description for line in editor.lines),
        "blank": editor.new_line(company),
        "usual_vat": {nature: editor.usual_vat(company, nature) for nature in map(str, Nature)},
        "vat": None
        if live
        else vat_choices(editor.client, as_supplied(editor), company, vat_day or on),
        "problems": editor.problems,
        "line_errors": [
            (n, line) for n, line in enumerate(editor.lines, 1) if form.is_bound and line.errors
        ],
        "stale": editor.stale,
        "saved": editor.saved,
        "wrong": _wrong(editor),
        "currency": editor.currency,
        "on": on,
        "edit_url": editor.address("edit"),
        "totals_url": editor.address("totals"),
        "preview_url": editor.address("preview"),
        "page_url": editor.address("page"),
        "back_here": "?" + urlencode({"next": editor.address("edit")}),
        "contacts": [] if live else _contacts(editor.client),
        "may_undo": not live and document.typed.all()[1:2].exists(),
        **moment_of(editor),
    }


def moment_of(editor: DocumentEditor[Any]) -> dict[str, Any]:
    """Which state of it the page has seen, and since when it is kept."""
    document = editor.document
    return {"stamp": document.updated_at.isoformat(), "kept_at": document.updated_at}


def _contacts(client: Client) -> list[str]:
    return [
        contact.email
        for contact in client.contacts.all()
        if contact.email and contact.gone_at is None
    ][:20]


def _wrong(editor: DocumentEditor[Any]) -> str:
    """Names of the fields that cannot be read, for marking them while somebody types."""
    names = [name for name in editor.form.errors if name in editor.form.fields]
    for n, line in enumerate(editor.lines):
        names += [f"lines-{n}-{name}" for name in line.errors if name]
    return " ".join(names)


def too_many_lines(editor: DocumentEditor[Any]) -> None:
    if len(editor.lines) > MAX_LINES:
        editor.problems.append(_("More than %(limit)s lines.") % {"limit": MAX_LINES})
