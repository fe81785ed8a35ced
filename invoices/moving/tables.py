"""Which tables are the books, in which order they come back, and what stays behind and why.

By what the models say of themselves: a new table belongs to the books unless it is named here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from invoices.models.rules_as_data import RULES

Table = type[models.Model]
# Apps of which no table is part of the books.
FOREIGN_APPS = {
    "account": "addresses that the sign-in confirms anew",
    "admin": "what was done in the admin site of this portal",
    "auth": "made by the release itself",
    "contenttypes": "made by the release itself",
    "django_q": "what the worker of this portal still has to do; its sweeps find the rows again",
    "sessions": "who is signed in here",
}
LEFT_OUT = {
    "accounts.Submission": "forms that browsers of this portal sent",
    "accounts.User_groups": "what a person may do follows from the role",
    "accounts.User_user_permissions": "what a person may do follows from the role",
    "invoices.BooksArchive": "files on the disk of this portal; the other one makes its own",
    "invoices.BooksCheck": "what this portal's own checks found; the other one makes its own",
    "integrations.Connection": "holds the token of the other service; it is connected anew",
    "integrations.ExternalField": "belongs to a connection",
    "integrations.FieldMapping": "belongs to a connection",
    "integrations.SyncRun": "belongs to a connection",
    "integrations.SyncRefusal": "belongs to a connection",
}
LEFT_OUT_COLUMNS = {
    "accounts.User.password": "a secret; each person asks for a new one",
    "accounts.User.last_login": "says when somebody was here",
    "accounts.User.is_staff": "the admin site is opened by whoever runs the portal",
    "accounts.User.is_superuser": "all rights are given by whoever runs the portal",
    "invoices.QuoteVersion.link_key": "opens a client's page; the quote is sent again",
    # Ids of transactions of this very database among them.
    "invoices.BooksChain.complete": "saves looking; the other portal looks",
    "invoices.BooksChain.seen": "saves looking; the other portal looks",
    "invoices.BooksChain.seen_before": "saves looking; the other portal looks",
}
# Every portal begins with the rows of these; those of the file stand in their place.
THERE_FROM_THE_START = {"invoices.ExemptionReason", "invoices.VatRate"}


@cache
def tables() -> dict[str, Table]:
    """By label such as “invoices.Invoice”, in the order of the file."""
    every = [
        model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        and model._meta.managed
        and model._meta.app_label not in FOREIGN_APPS
        and model._meta.label not in LEFT_OUT
    ]
    return {model._meta.label: model for model in sorted(every, key=lambda m: m._meta.label)}


def columns(table: Table) -> list[Any]:
    """The fields that the file holds of a table."""
    left_out = LEFT_OUT_COLUMNS
    return [
        field
        for field in table._meta.concrete_fields
        if f"{table._meta.label}.{field.attname}" not in left_out
    ]


def defaults(table: Table) -> list[Any]:
    """The fields that the file does not hold: the other portal gives them their default."""
    held = set(columns(table))
    return [field for field in table._meta.concrete_fields if field not in held]


# ─ The way back ─────────────────────────────────────────────────────────────────────────────────
# Rows refer to each other in any order: the database looks at references when all is in. Its rules
# look at once. Those that let no row join a document that was issued are kept by writing the row
# before its document; deductions stand between the deposits that they name and their own invoice.
DEPOSITS, REST = "deposits", "rest"
_INVOICE, _DEDUCTION = "invoices.Invoice", "invoices.DepositDeduction"


def way_back() -> list[tuple[str, str]]:
    """Labels in the order of writing; of the invoices first the deposits, then the rest."""
    first = {table for _n, moment, table, says in RULES if moment == "INSERT" and _forbids(says)}
    labels = [label for label in tables() if label not in (_INVOICE, _DEDUCTION)]
    before = [label for label in labels if tables()[label]._meta.db_table in first]
    after = [label for label in labels if label not in before]
    return [
        *((label, "") for label in before),
        (_INVOICE, DEPOSITS),
        (_DEDUCTION, ""),
        (_INVOICE, REST),
        *((label, "") for label in after),
    ]


def _forbids(condition: str) -> bool:
    """A rule that refuses a row because of another that is there."""
    return condition.startswith("EXISTS")
