"""What the rows of a payments file say. Pure: no query, no clock."""

from __future__ import annotations

from invoices.documents.instalments import MOST_INSTALMENTS
from invoices.history.cells import Reader, Sheet
from invoices.history.rows import PaymentRow
from invoices.models import Payment

_METHODS = {
    **{str(m): str(m) for m in Payment.Method.values},
    "bank_transfer": Payment.Method.TRANSFER.value,
    "check": Payment.Method.CHEQUE.value,
    "virement": Payment.Method.TRANSFER.value,
    "carte": Payment.Method.CARD.value,
    "prélèvement": Payment.Method.DIRECT_DEBIT.value,
    "chèque": Payment.Method.CHEQUE.value,
    "espèces": Payment.Method.CASH.value,
}


def read_payments(sheet: Sheet) -> tuple[list[PaymentRow], set[str]]:
    """The good rows in the order of the file, and the invoices of the bad ones.

    A row below zero takes an earlier one back.
    """
    rows: list[PaymentRow] = []
    doubtful: set[str] = set()
    for row in sheet.each_row():
        cell = Reader(sheet, row)
        invoice = cell.text("invoice", most=35, needed=True)
        received_on = cell.day("received_on")
        currency = cell.currency("currency")
        amount = cell.amount("amount", currency)
        reference = cell.text("reference", most=140)
        method = cell.choice("method", _METHODS, default=Payment.Method.TRANSFER.value)
        place = _instalment(cell)
        if amount == 0:
            cell.complain("amount", "history.payment_nothing")
        if not cell.bad and received_on and amount:
            rows.append(
                PaymentRow(
                    row.line, invoice, received_on, amount, currency, reference, method, place
                )
            )
        else:
            doubtful.add(invoice)
    return rows, doubtful


def _instalment(cell: Reader) -> int:
    """Which instalment somebody paid, counted from 1; 0 where the row names none."""
    text = cell.text("instalment", most=10)
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_INSTALMENTS:
        cell.complain("instalment", "history.payment_part", text=text)
        return 0
    return int(text)
