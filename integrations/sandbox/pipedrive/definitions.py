"""The field definitions of the company: the built-in fields that matter, and its own."""

from typing import Final

from integrations.sandbox.pipedrive import data
from integrations.sandbox.pipedrive.shapes import Json

OPTION_IDS: Final = {
    **{label: 31 + place for place, label in enumerate(data.CLIENT_TYPES)},
    "French": 51,
    "English": 52,
}
TERM_IDS: Final = {label: 41 + place for place, (label, _, _) in enumerate(data.PAYMENT_TERMS)}

_ADDRESS_PARTS: Final = (
    "value",
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)


def field_definitions(
    keys: dict[str, str], added: str
) -> tuple[list[Json], list[Json], list[Json]]:
    """Deal, organisation and person fields; `keys` gives each custom field its 40 characters."""
    statuses = [("open", "Open"), ("won", "Won"), ("lost", "Lost"), ("deleted", "Deleted")]
    deal_fields = [
        _built_in("id", "ID", "int"),
        _built_in("title", "Title", "varchar"),
        _built_in("value", "Value", "monetary", subfields=("value", "currency")),
        _built_in("owner_id", "Owner", "user"),
        _built_in("person_id", "Contact person", "people"),
        _built_in("org_id", "Organization", "org"),
        _built_in("pipeline_id", "Pipeline", "int"),
        _built_in("stage_id", "Stage", "stage"),
        _built_in("status", "Status", "status", options=[_option(*pair) for pair in statuses]),
        _built_in("add_time", "Deal created", "date"),
        _built_in("update_time", "Update time", "date"),
        _built_in("won_time", "Won time", "date"),
        _built_in("lost_time", "Lost time", "date"),
        _built_in("expected_close_date", "Expected close date", "date"),
        _built_in("lost_reason", "Lost reason", "varchar_options"),
        _built_in("label_ids", "Label", "set", options=[]),
        _built_in("visible_to", "Visible to", "visible_to"),
        _own(keys["purchase_order"], "Purchase order", "varchar"),
        _own(keys["service_period"], "Service period", "daterange", subfields=("value", "until")),
        _own(keys["billing_contact"], "Billing contact", "people"),
    ]
    client_types = [_option(OPTION_IDS[label], label, added) for label in data.CLIENT_TYPES]
    terms = [_option(number, label, added) for label, number in TERM_IDS.items()]
    languages = [_option(OPTION_IDS[label], label, added) for label in ("French", "English")]
    organization_fields = [
        _built_in("id", "ID", "int"),
        _built_in("name", "Name", "varchar"),
        _built_in("owner_id", "Owner", "user"),
        _built_in("address", "Address", "address", subfields=_ADDRESS_PARTS),
        _built_in("add_time", "Organization created", "date"),
        _built_in("update_time", "Update time", "date"),
        _built_in("label_ids", "Label", "set", options=[]),
        _built_in("website", "Website", "varchar"),
        _built_in("visible_to", "Visible to", "visible_to"),
        _own(keys["client_type"], "Client type", "enum", options=client_types),
        _own(keys["vat_id"], "VAT id", "varchar"),
        _own(keys["siren"], "SIREN", "varchar"),
        _own(keys["payment_terms"], "Payment terms", "enum", options=terms),
        _own(keys["billing_email"], "Billing email", "varchar"),
        _own(keys["language"], "Language", "enum", options=languages),
    ]
    person_fields = [
        _built_in("id", "ID", "int"),
        _built_in("name", "Name", "varchar"),
        _built_in("owner_id", "Owner", "user"),
        _built_in("org_id", "Organization", "org"),
        _built_in("emails", "Email", "varchar"),
        _built_in("phones", "Phone", "phone"),
        _built_in("add_time", "Person created", "date"),
        _built_in("update_time", "Update time", "date"),
    ]
    # The specification shows no description for these.
    for definition in organization_fields:
        del definition["description"]
    return deal_fields, organization_fields, person_fields


def _option(option_id: int | str, label: str, added: str | None = None) -> Json:
    return {
        "id": option_id,
        "label": label,
        "color": None,
        "update_time": added,
        "add_time": added,
    }


def _built_in(
    code: str,
    name: str,
    kind: str,
    options: list[Json] | None = None,
    subfields: tuple[str, ...] = (),
) -> Json:
    return {
        "field_name": name,
        "field_code": code,
        "description": "",
        "field_type": kind,
        "options": options,
        "subfields": [
            {"field_code": part, "field_name": f"{part} of {name}", "field_type": "varchar"}
            for part in subfields
        ]
        or None,
        "is_custom_field": False,
        "is_optional_response_field": False,
    }


def _own(
    key: str,
    name: str,
    kind: str,
    options: list[Json] | None = None,
    subfields: tuple[str, ...] = (),
) -> Json:
    return {**_built_in(key, name, kind, options, subfields), "is_custom_field": True}
