"""What the database itself refuses, as data: `database_rules` tells it to each of them."""

from __future__ import annotations

from invoices.models.facts import VERSIONS, newest

# What the document says, and the links by which it is found and counted.
_CONTENT = (  # noqa: SIM905 - reads better than a column of quotes
    "kind imported number number_clashes series_id sequence date_exception_id client_id buyer_name "
    "deal_id plan_step corrects_id purpose credit_reason replaces_id moves_payments title language "
    "currency issue_date due_date terms_kind terms_days terms_id service_from service_until "
    "purchase_order note net_minor vat_minor total_minor exchange_rate content_hash previous_hash "
    "sealed_with owner_id issued_at issued_by_id observed_from due_date_typed created_by_id "
    "created_at retention_percent retention_on delivered_to delivery_address delivery_postal_code "
    "delivery_city delivery_country tie tie_address tie_postal_code tie_country"
).split()
# Emptied at a stroke no row would be asked: PostgreSQL only, SQLite knows no TRUNCATE.
NEVER_EMPTIED = (
    "invoice",
    "invoiceline",
    "vatbreakdown",
    "depositdeduction",
    "instalment",
    "invoiceevent",
    "document",
    "allocation",
    "payment",
    "refund",
    "booksdecision",
    "bookslink",
    "bookshead",
    "numberseries",
    "quoteevent",
    "quotedocument",
    "quoteacceptance",
    "salesterms",
    "vatcheck",
    "subscriptionperiod",
    "subscriptionbilling",
    "subscriptionevent",
    "platformflow",
    "lifecyclestatus",
    "declaredallocation",
    "accountletter",
    "lateclaim",
    "lateclaimrow",
    "mailwording",
    "keptlogo",
    "rebate",
    "creditshare",
    "writeoff",
)
# What was offered: as it left, so it stays.
_OFFERED = (  # noqa: SIM905 - reads better than a column of quotes
    "quote_id number title language currency valid_until terms_kind terms_days deposit_percent "
    "deposit_minor note net_minor vat_minor total_minor sent_at sales_terms_id delivered_to "
    "delivery_address delivery_postal_code delivery_city delivery_country tie tie_address "
    "tie_postal_code tie_country"
).split()
# What was asked about a client's VAT id.
_QUESTION = ["client_id", "vat_id", "requester", "asked_at", "on", "asked_by_id"]

_DEDUCTION = ["invoice_id", "deposit_id", "net_minor", "vat_minor"]
# Of a file for the platform, or of a message: what it is.
_FLOW = ["reason_key", "tracking_id", "syntax", "document_id", "content", "sha256"]
_MESSAGE = ["transmission_id", "platform_id", "position", "code", "at", "content", "sha256"]
_CLAIM = ["letter_id", "client_id", "series_id", "sequence", "number", "on"]
# What is sealed may get the seal that it lacked from before there were any, and nothing else.
_SEALED_TABLES = {
    "invoiceevent": "event",
    "allocation": "allocation",
    "refund": "refund",
    "booksdecision": "decision",
}

_INSTALMENT = ["invoice_id", "position", "said_due", "amount_minor", "is_retention"]


def _changed(columns: list[str]) -> str:
    # Quoted: “on” is a word of SQL.
    return " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)


def _seal_changed(kind: str) -> str:
    columns = [
        f'CAST(OLD."{name}" AS TEXT) IS DISTINCT FROM CAST(NEW."{name}" AS TEXT)'
        for name in ("id", *VERSIONS[kind][newest(kind)])
    ]
    return f"OLD.seal IS NOT NULL OR NEW.seal IS NULL OR {' OR '.join(columns)}"


_RESEALED = "(OLD.seal IS NOT NULL AND OLD.seal IS DISTINCT FROM NEW.seal)"


def _of_dues(what: str) -> str:
    return f"(SELECT {what} FROM invoices_instalment p WHERE p.invoice_id = NEW.id)"  # noqa: S608


def _parent_issued(row: str, parent: str = "invoice_id") -> str:
    return (
        # Built from the names above only.
        f"EXISTS (SELECT 1 FROM invoices_invoice i WHERE i.id = {row}.{parent} "  # noqa: S608
        "AND i.status IN ('issued', 'settled'))"
    )


def _offer_left(row: str) -> str:
    return (
        # Built from the names above only.
        f"EXISTS (SELECT 1 FROM invoices_quoteversion v WHERE v.id = {row}.version_id "  # noqa: S608
        "AND v.status <> 'draft')"
    )


# (name, moment, table, condition under which the database refuses)
RULES: list[tuple[str, str, str, str]] = [
    (
        "issued_content_is_frozen",
        "UPDATE",
        "invoices_invoice",
        "OLD.status IN ('issued', 'settled') AND (NEW.status NOT IN ('issued', 'settled') OR "
        "CAST(OLD.paper AS TEXT) IS DISTINCT FROM CAST(NEW.paper AS TEXT) OR "
        "CAST(OLD.dues_typed AS TEXT) IS DISTINCT FROM CAST(NEW.dues_typed AS TEXT) OR "
        "CAST(OLD.adjustments AS TEXT) IS DISTINCT FROM CAST(NEW.adjustments AS TEXT) OR "
        f"{_RESEALED} OR {_changed(_CONTENT)})",
    ),
    (
        "an_issued_invoice_keeps_its_client_type",
        "UPDATE",
        "invoices_invoice",
        "OLD.status IN ('issued', 'settled') AND "
        "OLD.client_type_id IS DISTINCT FROM NEW.client_type_id AND NOT EXISTS (SELECT 1 FROM "
        "invoices_clienttype t WHERE t.id = OLD.client_type_id "
        "AND t.merged_into_id = NEW.client_type_id)",
    ),
    (
        "issued_invoices_are_kept",
        "DELETE",
        "invoices_invoice",
        "OLD.status IN ('issued', 'settled')",
    ),
    *(
        (f"{table}_of_issued_{verb}", moment, f"invoices_{table}", _parent_issued(row))
        for table in ("invoiceline", "vatbreakdown")
        for moment, row, verb in (
            ("INSERT", "NEW", "gains_no_row"),
            ("UPDATE", "OLD", "is_frozen"),
            ("DELETE", "OLD", "is_kept"),
        )
    ),
    *(
        (f"{table}_of_issued_{verb}", moment, f"invoices_{table}", _parent_issued(row, "note_id"))
        for table in ("rebate", "creditshare")
        for moment, row, verb in (
            ("INSERT", "NEW", "gains_no_row"),
            ("UPDATE", "OLD", "is_frozen"),
            ("DELETE", "OLD", "is_kept"),
        )
    ),
    (
        "rebates_never_take_off_more_than_was_billed",
        "INSERT",
        "invoices_creditshare",
        "NOT EXISTS (SELECT 1 FROM invoices_invoice i WHERE i.id = NEW.invoice_id AND "
        "i.kind = 'invoice' AND i.status IN ('issued', 'settled') AND "
        "i.total_minor >= NEW.basis_minor + NEW.vat_minor + COALESCE((SELECT "
        "SUM(c.total_minor) FROM invoices_invoice c WHERE c.corrects_id = i.id AND c.status IN "
        "('issued', 'settled')), 0) + COALESCE((SELECT SUM(s.basis_minor + s.vat_minor) FROM "
        "invoices_creditshare s WHERE s.invoice_id = i.id), 0))",
    ),
    (
        "depositdeduction_of_issued_gains_no_row",
        "INSERT",
        "invoices_depositdeduction",
        _parent_issued("NEW"),
    ),
    # It is released when its invoice is credited whole, and never again in force.
    (
        "depositdeduction_of_issued_is_frozen",
        "UPDATE",
        "invoices_depositdeduction",
        f"{_parent_issued('OLD')} AND (({_changed(_DEDUCTION)}) OR (OLD.released AND NOT "
        "NEW.released))",
    ),
    (
        "depositdeduction_of_issued_is_kept",
        "DELETE",
        "invoices_depositdeduction",
        _parent_issued("OLD"),
    ),
    # Only a deposit that was issued has a number and an amount that a final invoice can name.
    (
        "only_an_issued_deposit_is_deducted",
        "INSERT",
        "invoices_depositdeduction",
        "NOT EXISTS (SELECT 1 FROM invoices_invoice i WHERE i.id = NEW.deposit_id AND "
        "i.purpose = 'deposit' AND i.status IN ('issued', 'settled'))",
    ),
    (
        "instalment_of_issued_gains_no_row",
        "INSERT",
        "invoices_instalment",
        _parent_issued("NEW"),
    ),
    # Its balance moves with what settles it.
    (
        "instalment_of_issued_is_frozen",
        "UPDATE",
        "invoices_instalment",
        f"{_parent_issued('OLD')} AND ({_changed(_INSTALMENT)})",
    ),
    (
        "instalment_of_issued_is_kept",
        "DELETE",
        "invoices_instalment",
        _parent_issued("OLD"),
    ),
    (
        "instalments_make_the_total",
        "UPDATE",
        "invoices_invoice",
        "OLD.status = 'draft' AND NEW.status IN ('issued', 'settled') AND "
        f"{_of_dues('COUNT(*)')} > 0 AND ({_of_dues('COUNT(*)')} = 1 OR "
        f"{_of_dues('SUM(p.amount_minor)')} <> NEW.total_minor OR "
        f"{_of_dues('MAX(p.due_date)')} <> NEW.due_date OR "
        f"{_of_dues('MIN(p.due_date)')} < NEW.issue_date)",
    ),
    (
        "an_allocation_names_its_instalment",
        "INSERT",
        "invoices_allocation",
        "NEW.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices_instalment p WHERE "
        "p.id = NEW.instalment_id AND p.invoice_id = NEW.invoice_id) AND (NEW.instalment_id IS "
        "NOT NULL OR EXISTS (SELECT 1 FROM invoices_instalment p "
        "WHERE p.invoice_id = NEW.invoice_id))",
    ),
    *(
        (f"{table}_is_append_only_{moment.lower()}", moment, f"invoices_{table}", "TRUE")
        for table in (
            *("document", "bookslink", "bookshead"),
            *("journalexport", "quoteevent", "quotedocument", "quoteacceptance", "salesterms"),
            *("subscriptionbilling", "subscriptionevent"),
            *("accountletter", "lateclaimrow"),
            *("mailwording", "keptlogo", "writeoff"),
        )
        for moment in ("UPDATE", "DELETE")
    ),
    *(
        (f"{table}_is_append_only_update", "UPDATE", f"invoices_{table}", _seal_changed(kind))
        for table, kind in _SEALED_TABLES.items()
    ),
    *(
        (f"{table}_is_append_only_delete", "DELETE", f"invoices_{table}", "TRUE")
        for table in _SEALED_TABLES
    ),
    (
        "an_offer_that_left_is_frozen",
        "UPDATE",
        "invoices_quoteversion",
        "OLD.status NOT IN ('draft', 'discarded') AND (NEW.status IN ('draft', 'discarded') OR "
        "CAST(OLD.paper AS TEXT) IS DISTINCT FROM CAST(NEW.paper AS TEXT) OR "
        "CAST(OLD.adjustments AS TEXT) IS DISTINCT FROM CAST(NEW.adjustments AS TEXT) OR "
        f"{_changed(_OFFERED)})",
    ),
    ("offers_are_kept", "DELETE", "invoices_quoteversion", "OLD.status <> 'draft'"),
    *(
        (f"quoteline_of_an_offer_{verb}", moment, "invoices_quoteline", _offer_left(row))
        for moment, row, verb in (
            ("INSERT", "NEW", "gains_no_row"),
            ("UPDATE", "OLD", "is_frozen"),
            ("DELETE", "OLD", "is_kept"),
        )
    ),
    ("stored_files_stay_as_they_are", "UPDATE", "invoices_storedfile", "TRUE"),
    (
        "an_attachment_stays_the_file_that_it_is",
        "UPDATE",
        "invoices_attachment",
        _changed(["file_id", "invoice_id", "quote_id", "filename"]),
    ),
    # No day of a subscription is billed by two periods, whatever its calendar was made into.
    (
        "periods_of_a_subscription_never_overlap",
        "INSERT",
        "invoices_subscriptionperiod",
        "EXISTS (SELECT 1 FROM invoices_subscriptionperiod p WHERE "
        "p.subscription_id = NEW.subscription_id AND p.first_day <= NEW.last_day "
        "AND p.last_day >= NEW.first_day)",
    ),
    (
        "a_period_of_a_subscription_keeps_its_days",
        "UPDATE",
        "invoices_subscriptionperiod",
        _changed(["subscription_id", "number", "first_day", "last_day", "due_on", "made_on"]),
    ),
    ("periods_of_subscriptions_are_kept", "DELETE", "invoices_subscriptionperiod", "TRUE"),
    (
        "a_period_is_billed_by_one_invoice_that_stands",
        "INSERT",
        "invoices_subscriptionbilling",
        "EXISTS (SELECT 1 FROM invoices_subscriptionbilling b JOIN invoices_invoice i "
        "ON i.id = b.invoice_id WHERE b.period_id = NEW.period_id AND i.status <> 'void' "
        "AND NOT (i.status = 'settled' AND i.credited_minor = i.total_minor) "
        # A corrected invoice stands in its place, even where its payments stay with it.
        "AND NOT EXISTS (SELECT 1 FROM invoices_invoice r WHERE r.replaces_id = i.id "
        "AND r.status NOT IN ('draft', 'void')))",
    ),
    (
        "payment_content_is_frozen",
        "UPDATE",
        "invoices_payment",
        f"{_RESEALED} OR {_changed(['id', *VERSIONS['payment'][newest('payment')]])}",
    ),
    ("payments_are_kept", "DELETE", "invoices_payment", "TRUE"),
    (
        "sent_is_said_once",
        "UPDATE",
        "invoices_invoice",
        "OLD.sent_at IS NOT NULL AND OLD.sent_at IS DISTINCT FROM NEW.sent_at",
    ),
    (
        "what_was_said_of_a_vat_id_stays",
        "UPDATE",
        "invoices_vatcheck",
        f"OLD.answer <> 'asked' OR {_changed(_QUESTION)}",
    ),
    (
        "a_claim_is_withdrawn_once_and_else_stays",
        "UPDATE",
        "invoices_lateclaim",
        f"OLD.withdrawn_at IS NOT NULL OR {_changed(_CLAIM)}",
    ),
    ("claims_are_kept", "DELETE", "invoices_lateclaim", "TRUE"),
    ("questions_about_vat_ids_are_kept", "DELETE", "invoices_vatcheck", "TRUE"),
    ("files_for_the_platform_stay_as_they_are", "UPDATE", "invoices_platformflow", _changed(_FLOW)),
    (
        "what_the_platform_took_it_took",
        "UPDATE",
        "invoices_platformflow",
        f"OLD.state = 'sent' AND (NEW.state <> 'sent' OR {_changed(['platform_id', 'sent_at'])})",
    ),
    ("files_for_the_platform_are_kept", "DELETE", "invoices_platformflow", "TRUE"),
    ("lifecycle_messages_stay", "UPDATE", "invoices_lifecyclestatus", _changed(_MESSAGE)),
    ("lifecycle_messages_are_kept", "DELETE", "invoices_lifecyclestatus", "TRUE"),
    *(
        (f"what_was_declared_{verb}", moment, "invoices_declaredallocation", "TRUE")
        for moment, verb in (("UPDATE", "stays"), ("DELETE", "is_kept"))
    ),
    (
        "a_series_only_goes_on",
        "UPDATE",
        "invoices_numberseries",
        # Built from names of columns only.
        "EXISTS (SELECT 1 FROM invoices_invoice i WHERE i.series_id = OLD.id) AND "  # noqa: S608
        "(NEW.next_value < OLD.next_value OR NEW.last_issue_date < OLD.last_issue_date OR "
        f"{_changed(['kind', 'period', 'prefix', 'width', 'first_value'])})",
    ),
    (
        "an_ended_series_gives_no_number",
        "UPDATE",
        "invoices_numberseries",
        "OLD.ended_on IS NOT NULL AND NEW.ended_on IS NOT NULL AND "
        f"({_changed(['next_value', 'last_issue_date', 'last_hash'])})",
    ),
]
