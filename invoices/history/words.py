"""What may be said of files of a history, by code; put into words for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from billing_portal.typed import files
from billing_portal.typed.texts import Unreadable


def _unreadable_amount(values: Mapping[str, Any]) -> str:
    """The reader says it in the language of now: the text is what is kept."""
    try:
        files.read_amount(values["text"], values["currency"], values["point"])
    except Unreadable as problem:
        return str(problem)
    return str(values["text"])


def _unreadable_day(values: Mapping[str, Any]) -> str:
    try:
        files.read_day(values["text"], month_first=values["month_first"])
    except Unreadable as problem:
        return str(problem)
    return str(values["text"])


_CELLS: Final[dict[str, Any]] = {
    "needed": _("The cell is empty, and it is needed."),
    "long": _("“%(text)s…” is longer than %(most)s characters."),
    "day": _unreadable_day,
    "day_future": _("%(day)s is in the future: history ends today."),
    "currency": _("“%(text)s” is not a currency: write its three letters, like EUR."),
    "amount": _unreadable_amount,
    "two_ways": _("“%(text)s” can be read in two ways: write it without signs between thousands."),
    "decimals": _("%(text)s has more decimals than %(currency)s (%(places)s): round it."),
    "large": _("%(text)s is larger than any amount here: check the figure."),
    "choice": _("“%(text)s” is not known here: write one of %(allowed)s."),
    "email": _("“%(text)s” is not an email address."),
}
_COLUMNS: Final[dict[str, Any]] = {
    "day_first": _("%(file)s, %(column)s: days are read with the day first, as in “%(text)s”."),
    "month_first": _("%(file)s, %(column)s: days are read with the month first, as in “%(text)s”."),
    "decimal_point": _(
        "%(file)s, %(column)s: as you said, amounts like “%(text)s” are read with a decimal point."
    ),
    "decimal_comma": _(
        "%(file)s, %(column)s: as you said, amounts like “%(text)s” are read with a decimal comma."
    ),
}
_CLIENTS: Final[dict[str, Any]] = {
    "vat_id": _("A VAT id has at most 20 characters."),
    "name_twice": _("“%(name)s” is on line %(line)s already: keep one row per client."),
    "long_terms": ngettext_lazy(
        "%(file)s: %(count)s client has payment terms above the legal maximum of %(days)s days; "
        "they are kept as they are.",
        "%(file)s: %(count)s clients have payment terms above the legal maximum of %(days)s days; "
        "they are kept as they are.",
        "count",
    ),
    "country": _("“%(text)s” is not a country: write its two letters, like FR."),
    "terms": _("“%(text)s” is not a number of days from 0 to %(most)s."),
    "siren_digits": _(
        "“%(text)s” is not a SIREN of 9 digits (a spreadsheet may have taken away a zero in "
        "front: make the column text)."
    ),
    "siren_check": _(
        "“%(text)s” is no SIREN: its check digit does not fit. Correct it or leave it empty."
    ),
    "client_doubled": _("Several clients here are called “%(name)s”: rename or merge them first."),
    "no_type": _("“%(name)s” is new here and needs a client type."),
    "many_types": _(
        "This is the client type number %(count)s that is new here: look whether the column "
        "holds something else, such as names."
    ),
}
_ITEMS: Final[dict[str, Any]] = {
    "price": _("“%(text)s” is no unit price: not below zero, and at most six decimals."),
    "unit": _("“%(text)s” is no unit that is known here: write day, hour, month, piece, kg…"),
    "item_vat": _("“%(text)s” is no VAT of an item: write a rate like 20, exempt, or client."),
    "item_differs": _(
        "%(item)s stands on line %(line)s too and says something else there: write the same, or "
        "leave it empty."
    ),
    "price_twice": _("%(item)s has a price in %(currency)s on line %(line)s already."),
    "item_not_exempt": _("A reason to be exempt goes with the VAT exempt only."),
    "item_why": _(
        "“%(text)s” is not one of the reasons to be exempt (Settings, VAT): write its name, or its "
        "code where only one has it."
    ),
    "item_name": _("%(item)s is new here and needs a name."),
}
_INVOICES: Final[dict[str, Any]] = {
    "due_before": _("The due date %(due)s is before the issue date %(issued)s."),
    "corrects_nothing": _("Only a credit note corrects an invoice: empty the cell."),
    "credit_minus": _("A credit note's amounts are written without a minus sign."),
    "below_zero": _(
        "An invoice below zero is a credit note: write the kind credit_note, and the amounts "
        "without a minus sign."
    ),
    "sum": _("Net %(net)s and VAT %(vat)s do not make the total %(total)s."),
    "credit_nothing": _("A credit note over nothing: leave it out."),
    "lines_differ": _(
        "Lines %(lines)s are rows of %(number)s and do not agree: %(name)s is %(first)s on the "
        "first and %(other)s here. Write the same on all of them, or correct the number."
    ),
    "lines": ngettext_lazy(
        "%(file)s: %(lines)s rows are lines of %(count)s invoice. Their amounts are added up.",
        "%(file)s: %(lines)s rows are lines of %(count)s invoices. Their amounts are added up.",
        "count",
    ),
    "equal_lines": ngettext_lazy(
        "%(file)s: %(count)s invoice has rows that are equal to the last sign, as %(number)s on "
        "lines %(lines)s. Look whether they are there twice: all of them are added up.",
        "%(file)s: %(count)s invoices have rows that are equal to the last sign, as %(number)s on "
        "lines %(lines)s. Look whether they are there twice: all of them are added up.",
        "count",
    ),
    "number_given_here": _(
        "%(number)s is the number of a document that was issued here: one number never names two "
        "documents."
    ),
    "corrects_ours": _(
        "%(number)s was issued here: credit it on its own page, with a number of our series."
    ),
    "says_otherwise": _(
        "%(number)s is here already and says otherwise: %(what)s. What was issued never changes: "
        "correct the row, or answer the invoice with a credit note."
    ),
    "otherwise": _("%(column)s %(given)s instead of %(kept)s"),
    "no_client_near": _("No client is called “%(name)s”; did you mean “%(near)s”?"),
    "no_client": _("No client is called “%(name)s”: add it to the clients file."),
    "corrects_unknown": _("No invoice has the number %(number)s: correct it, or empty the cell."),
    "corrects_credit": _("%(number)s is a credit note itself: name the invoice."),
    "corrects_foreign": _("%(number)s belongs to “%(client)s”."),
    "corrects_currency": _("%(number)s is in %(currency)s."),
    "corrects_later": _("%(number)s was issued later, on %(day)s: check both dates."),
    "credited_beyond": _(
        "With this one the credit notes on %(number)s add up to %(sum)s, more than its total of "
        "%(total)s."
    ),
    "numbers_alike": ngettext_lazy(
        "%(count)s number, like %(number)s, looks like those that are given here (%(prefix)s…). "
        "Before issuing, set the number that comes next (Settings, Books), or choose another "
        "beginning (Settings, Numbers).",
        "%(count)s numbers, like %(number)s, look like those that are given here (%(prefix)s…). "
        "Before issuing, set the number that comes next (Settings, Books), or choose another "
        "beginning (Settings, Numbers).",
        "count",
    ),
}
_PARTS: Final[dict[str, Any]] = {
    "part": _(
        "“%(text)s” is no instalment: write a day and an amount for each, such as 2026-01-31 "
        "400.00; 2026-02-28 800.00."
    ),
    "part_two_ways": _(
        "“%(text)s” can be read in two ways: write the day like 2026-01-31 and the amount without "
        "signs between thousands."
    ),
    "part_nothing": _("“%(text)s”: nothing is due on that day. Leave it out."),
    "parts_count": _(
        "%(count)s found: an invoice has 2 to %(most)s instalments. Leave the cell empty "
        "when it is due whole."
    ),
    "parts_sum": _("The instalments come to %(sum)s, the total is %(total)s."),
    "parts_early": _("The instalment of %(day)s is before the issue date, %(issued)s."),
    "parts_last": _(
        "The last instalment is due on %(day)s, and due_on says %(due)s: write the day of the last "
        "one there, or leave that cell empty."
    ),
    "parts_retention": _("What is held back is the last instalment: put it at the end."),
    "parts_of_credit": _("A credit note is not paid in instalments: leave the cell empty."),
}
_PAYMENTS: Final[dict[str, Any]] = {
    "payment_nothing": _("A payment over nothing: leave it out."),
    "payment_part": _(
        "“%(text)s” names no instalment: write 1 for the first one, or leave the cell empty, and "
        "the oldest open one is settled first."
    ),
    "payment_no_part": _("%(number)s has no instalment %(place)s."),
    "payment_closed": _("The books are closed until %(day)s: take a later day."),
    "payment_unknown": _("No invoice has the number %(number)s."),
    "payment_credit": _(
        "%(number)s is a credit note; a payment settles an invoice. Leave the row out, or name "
        "the invoice."
    ),
    "payment_currency": _("%(number)s is in %(currency)s: convert the payment or correct the row."),
    "payment_recorded": _(
        "A payment of %(amount)s with the reference “%(reference)s” of that day is recorded "
        "already: leave the row out, or give it a reference of its own."
    ),
    "returns": ngettext_lazy(
        "%(count)s row below zero takes back an earlier payment of the same invoice.",
        "%(count)s rows below zero take back an earlier payment of the same invoice.",
        "count",
    ),
    "return_nothing": _(
        "No payment of %(amount)s on %(number)s stands that this row could take back: a payment "
        "is taken back whole, and once. Bring the payment too, or leave the row out."
    ),
    "return_later": _(
        "%(number)s has a payment of %(amount)s, but after %(day)s: money does not go back before "
        "it came. Check both dates."
    ),
    "return_several": _(
        "%(count)s payments of %(amount)s on %(number)s come into question (%(days)s): give this "
        "row the reference of the one that it takes back."
    ),
    "return_part": _(
        "The payment of %(day)s on %(number)s is part of a remittance of %(whole)s, which is "
        "taken back whole: bring a row below zero for each of its invoices."
    ),
    "return_days": _(
        "The payment of %(day)s on %(number)s is part of a remittance of %(whole)s, which is "
        "taken back on one day: give its rows below zero the same day."
    ),
    "return_refunded": _(
        "A part of the payment of %(day)s on %(number)s was refunded here: take the refund back "
        "first."
    ),
    "advance": ngettext_lazy(
        "%(count)s payment came before its invoice was issued; it is kept as it is.",
        "%(count)s payments came before their invoice was issued; they are kept as they are.",
        "count",
    ),
    "surplus": ngettext_lazy(
        "%(count)s payment is larger than what was outstanding; the rest is kept as unapplied "
        "cash of the client.",
        "%(count)s payments are larger than what was outstanding; the rest is kept as unapplied "
        "cash of the client.",
        "count",
    ),
    "credit_early": ngettext_lazy(
        "%(count)s credit note is larger than what was outstanding on its day; the rest stays as "
        "the client's credit.",
        "%(count)s credit notes are larger than what was outstanding on their day; the rest stays "
        "as the client's credit.",
        "count",
    ),
    "before_go_live": ngettext_lazy(
        "%(count)s payment is older than the go-live day: if the files hold all of the past, "
        "leave that day empty, or delays are measured without it.",
        "%(count)s payments are older than the go-live day: if the files hold all of the past, "
        "leave that day empty, or delays are measured without it.",
        "count",
    ),
}
_LEFT_OUT: Final[dict[str, Any]] = {
    "out_with_client": _("The row of %(name)s stays out, and with it this one."),
    "out_with_invoice": _("%(number)s stays out, and with it this row."),
    "out_with_lines": _("Another line of %(number)s is wrong: all of its lines stay out."),
    "out_with_remittance": _(
        "Another row of the same remittance, or the invoice %(number)s, stays out: this row goes "
        "with it."
    ),
}
_ALL: Final[dict[str, Any]] = {
    "bank_statement": _(
        "%(file)s is a statement of a bank (%(format)s): its lines do not say which invoice they "
        "pay. Record them under Payments, where the numbers in a transfer’s label find their "
        "invoices; or add a column “invoice” and bring the file as CSV."
    ),
    "gave_up": _(
        "The background worker was cut short three times at these files, so they were given up; "
        "nothing of them was brought in. Bring smaller files, or ask an administrator."
    ),
    "moved": _(
        "The books changed since these files were looked at, and with them what would come in. "
        "Nothing was brought in: look again, then decide."
    ),
    "interrupted": _(
        "Somebody recorded one of these rows at the same moment, so nothing was brought in. "
        "Look at the preview again. (%(problem)s)"
    ),
}
SENTENCES: Final[dict[str, Any]] = {
    f"history.{code}": sentence
    for part in (
        *(_CELLS, _COLUMNS, _CLIENTS, _ITEMS, _INVOICES, _PARTS, _PAYMENTS, _LEFT_OUT, _ALL),
    )
    for code, sentence in part.items()
}
