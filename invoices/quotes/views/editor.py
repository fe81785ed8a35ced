"""A quote in its editor: what its own is beside that of every document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.company.numbering import next_number
from invoices.documents.paper import Paper
from invoices.documents.totals import Totals
from invoices.invoicing.drafting import preview_totals
from invoices.invoicing.views import editing
from invoices.invoicing.views.editing import DocumentEditor
from invoices.invoicing.views.sums import adjusted_of, sums_of
from invoices.models import Client, NumberPattern, QuoteLine, QuoteVersion, SalesTerms
from invoices.models.quotes import State
from invoices.quotes import drafting, printing, words
from invoices.quotes.choices import proposed
from invoices.quotes.drafting import choice_problems, of_invoice
from invoices.quotes.forms import lines as quote_lines
from invoices.quotes.forms.drafts import QuoteForm
from invoices.quotes.forms.lines import TypedQuoteLine
from invoices.quotes.refusals import QuoteRefused
from invoices.quotes.sending import reasons_not_to_send


@dataclass
class QuoteEditor(DocumentEditor[QuoteVersion]):
    """The version of a quote that is being written."""

    form: QuoteForm

    line_class = TypedQuoteLine
    refused = (QuoteRefused,)
    addresses = {
        "edit": "invoices:quote-edit",
        "totals": "invoices:quote-totals",
        "preview": "invoices:quote-preview",
        "page": "invoices:quote-page-preview",
    }
    of_stored = ("invoices/quotes/partials/sending_does.html",)

    @classmethod
    def form_of(cls, document: QuoteVersion, on: date, given: Any = None) -> QuoteForm:
        return QuoteForm(given, document=document, client=document.quote.client, today=on)

    @classmethod
    def rows_of(cls, document: QuoteVersion) -> list[TypedQuoteLine]:
        return quote_lines.from_rows(document.lines.all(), document.currency)

    @property
    def client(self) -> Client:
        return self.document.quote.client

    @property
    def address_id(self) -> int:
        return self.document.quote_id

    @property
    def begun_by(self) -> User | None:
        return self.document.quote.created_by

    def clean_lines(self) -> list[dict[str, Any]]:
        return quote_lines.clean(self.lines, self.currency)

    def adding_up(
        self, values: Sequence[Mapping[str, Any]], adjustments: Sequence[Mapping[str, str]]
    ) -> Totals:
        """With what is ticked at first, as the client will see it."""
        kept = [of_invoice(given) for given in values if _is_taken(given, values)]
        return preview_totals(kept, self.currency, (), adjustments)

    def totals_of_one(self, value: Mapping[str, Any]) -> Totals:
        return preview_totals([of_invoice(value)], self.currency)

    def save(
        self, values: Sequence[Mapping[str, Any]], *, by: User | None, seen: datetime | None = None
    ) -> dict[str, str]:
        return drafting.save_version(
            version_id=self.document.pk, header=self.header(), lines=values, by=by, seen=seen
        )

    def locked(self) -> QuoteVersion | None:
        try:
            return drafting.locked_draft(self.document.pk)
        except QuoteRefused:
            return None

    def anew(self) -> QuoteEditor:
        rows = QuoteVersion.objects.select_related(
            "quote__client__client_type", "quote__owner", "quote__deal"
        )
        return QuoteEditor.stored(rows.get(pk=self.document.pk), self.on)

    def paper(self) -> Paper:
        lines = list(self.document.lines.all())
        return printing.paper_of(self.document, lines, proposed(lines), on=self.on, number="")

    def printed(self, paper: Paper) -> bytes:
        return printing.printed(paper, draft=True)

    def context_of_stored(self, reader: User) -> dict[str, Any]:
        version = self.document
        return {
            "quote": version.quote,
            "sales_terms": SalesTerms.objects.without_content().in_force(version.language),
            "reasons": reasons_not_to_send(version, list(version.lines.all()), self.on),
        }


def draft_of(quote: Any) -> QuoteVersion | None:
    """The version being written."""
    version: QuoteVersion | None = quote.versions.filter(status=State.DRAFT).first()
    if version is not None:
        version.quote = quote
    return version


def context_of(editor: QuoteEditor, reader: User, *, live: bool = False) -> dict[str, Any]:
    version = editor.document
    values = editing.read_lines(editor, live=live)
    return {
        **editing.context_of(editor, live=live),
        "quote": version.quote,
        "version": version,
        # Only the locked row makes it certain.
        "next_number": ""
        if live or version.quote.number
        else next_number(NumberPattern.QUOTE, editor.on),
        "sections": list(dict.fromkeys(line.section for line in editor.lines if line.section)),
        **_sums(editor, values),
        **({} if live else editor.context_of_stored(reader)),
    }


def _sums(editor: QuoteEditor, values: list[dict[str, Any]]) -> dict[str, Any]:
    sums = sums_of(editor, values)
    if sums.totals is None:
        return sums.shown
    good = editor.readable(values)
    as_typed = editor.document
    if editor.form.is_bound:
        plan = ("deposit_percent", "deposit_minor", "terms_kind", "terms_days")
        header = editor.form.header()
        as_typed = QuoteVersion(**{name: header[name] for name in plan if name in header})
    language = "fr" if editor.document.language == "fr" else "en"
    total_minor = sums.totals.total_minor
    return {
        **sums.shown,
        **adjusted_of(editor, good),
        "plan": [
            (label, when, formatted_minor(minor, editor.currency))
            for label, when, minor in words.plan(as_typed, total_minor, language)
        ]
        if total_minor > 0 and not sums.nothing
        else [],
        "not_taken": sum(not _is_taken(given, good) for given in good),
        "choice_problems": list(dict.fromkeys(choice_problems(good).values())),
    }


def _is_taken(given: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> bool:
    role = given["role"]
    if role != QuoteLine.Role.ALTERNATIVE:
        return role == QuoteLine.Role.INCLUDED or bool(given["proposed"])
    group = [e for e in among if e["role"] == role and e["section"] == given["section"]]
    return given is next((e for e in group if e["proposed"]), group[0])
