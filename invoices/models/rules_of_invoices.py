"""What must always hold of an invoice, each rule named as the sentence that it enforces."""

from django.db import models
from django.db.models import F, Q

from invoices.models.standing import credited_whole
from invoices.models.supplied import supplied_constraints

INVOICE_CONSTRAINTS = [
    models.CheckConstraint(
        name="paid_credited_written_off_and_outstanding_make_the_total",
        condition=Q(
            total_minor=F("paid_minor")
            + F("credited_minor")
            + F("written_off_minor")
            + F("outstanding_minor")
        ),
    ),
    models.CheckConstraint(
        name="no_part_of_a_balance_is_negative",
        condition=Q(
            paid_minor__gte=0,
            credited_minor__gte=0,
            written_off_minor__gte=0,
        )
        & (Q(outstanding_minor__gte=0) | Q(status__in=["draft", "void"])),
    ),
    models.CheckConstraint(
        name="net_and_vat_make_the_total",
        condition=Q(total_minor=F("net_minor") + F("vat_minor")),
    ),
    models.CheckConstraint(
        name="settled_means_nothing_outstanding",
        condition=(
            Q(status="settled", outstanding_minor=0, settled_on__isnull=False)
            | Q(status="issued", outstanding_minor__gt=0, settled_on__isnull=True)
            | Q(status__in=["draft", "void"], settled_on__isnull=True)
        ),
    ),
    models.CheckConstraint(
        name="issued_has_number_and_dates",
        condition=(
            Q(status__in=["draft", "void"], number="", sequence__isnull=True)
            | (
                Q(
                    status__in=["issued", "settled"],
                    issue_date__isnull=False,
                    due_date__isnull=False,
                )
                & ~Q(number="")
            )
        ),
    ),
    models.CheckConstraint(
        name="our_numbers_come_from_a_series",
        condition=(
            Q(status__in=["draft", "void"])
            | Q(imported=True, series__isnull=True, sequence__isnull=True)
            | Q(imported=False, series__isnull=False, sequence__isnull=False)
        ),
    ),
    models.CheckConstraint(
        name="due_date_is_not_before_issue_date",
        condition=Q(due_date__isnull=True)
        | Q(issue_date__isnull=True)
        | Q(due_date__gte=F("issue_date")),
    ),
    models.CheckConstraint(
        name="issued_says_what_is_due_next",
        condition=Q(status__in=["draft", "void"]) | Q(next_due__isnull=False),
    ),
    models.CheckConstraint(
        name="paid_on_comes_with_its_delays",
        condition=(
            Q(paid_on__isnull=True, days_late__isnull=True, days_to_pay__isnull=True)
            | Q(
                paid_on__isnull=False,
                settled_on__isnull=False,
                days_late__isnull=False,
                days_to_pay__isnull=False,
            )
        ),
    ),
    models.CheckConstraint(
        name="a_retention_is_held_of_an_invoice",
        condition=Q(retention_percent=0)
        | Q(kind="invoice", retention_percent__gt=0, retention_percent__lt=100),
    ),
    *supplied_constraints("invoice"),
    models.UniqueConstraint(fields=["series", "sequence"], name="a_series_gives_each_number_once"),
    # Over both origins: a number names one document, whichever system gave it.
    models.UniqueConstraint(
        fields=["number"],
        condition=~Q(number="") & Q(number_clashes=False),
        name="a_number_names_one_document",
    ),
    models.CheckConstraint(
        name="issued_has_its_client_type",
        condition=Q(status__in=["draft", "void"]) | Q(client_type__isnull=False),
    ),
    # One draft or invoice per deal and step of its plan: two clerks clicking at once make
    # one. An invoice that was credited whole frees its step, to be billed as it should
    # have been.
    models.UniqueConstraint(
        fields=["deal", "plan_step"],
        condition=Q(kind="invoice", deal__isnull=False) & ~Q(status="void") & ~credited_whole(),
        name="a_step_of_a_deal_is_billed_once",
    ),
    models.CheckConstraint(
        name="a_credit_note_is_for_nothing_else",
        condition=Q(kind="invoice", credit_reason="") | Q(kind="credit_note", purpose="standard"),
    ),
    models.CheckConstraint(
        name="only_an_invoice_replaces_one",
        condition=Q(kind="invoice", replaces__isnull=False)
        | Q(replaces__isnull=True, moves_payments=False),
    ),
    # Two who correct one invoice at once make one draft.
    models.UniqueConstraint(
        fields=["replaces"],
        condition=Q(replaces__isnull=False) & ~Q(status="void"),
        name="an_invoice_is_replaced_once",
    ),
]
