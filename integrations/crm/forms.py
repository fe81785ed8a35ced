"""What people type to connect a CRM, and which of its fields hold our values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db import transaction
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from billing_portal.typed.fields import LineField
from integrations.crm.fields import Rules, Source
from integrations.crm.suggesting import (
    client_type_for,
    entities_of,
    load_rules,
    option_values,
    suggested,
    terms_text,
)
from integrations.crm.terms import read_terms
from integrations.models import Connection, ExternalField, FieldMapping
from invoices.models import ClientType

Target = FieldMapping.Target
NEW: Final = "new"
# Targets whose options stand for one of a few values of ours.
WITH_OPTIONS: Final = (Target.CLIENT_TYPE, Target.PAYMENT_TERMS, Target.LANGUAGE)
USABLE_TYPES: Final = {
    Target.CLIENT_TYPE: ("enum", "set", "varchar", "varchar_auto", "text"),
    Target.LANGUAGE: ("enum", "set", "varchar", "varchar_auto", "text"),
    Target.PAYMENT_TERMS: ("enum", "set", "varchar", "varchar_auto", "text", "double", "int"),
    Target.VAT_ID: ("varchar", "varchar_auto", "text"),
    Target.SIREN: ("varchar", "varchar_auto", "text", "double"),
    Target.BILLING_EMAIL: ("varchar", "varchar_auto", "text", "people"),
    Target.PURCHASE_ORDER: ("varchar", "varchar_auto", "text", "double", "enum"),
    Target.SERVICE_PERIOD: ("daterange", "date"),
}
_DAYS: Final = (0, 15, 30, 45, 60, 90)


class ConnectForm(forms.Form):
    base_url = LineField(
        max_length=300,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    api_token = LineField(
        label=gettext_lazy("API token"),
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, provider: str, address: Any, token: Any, initial: Any) -> None:
        """`address` and `token` say where the provider has them, `provider` is its name."""
        super().__init__(data, initial=initial)
        self.fields["base_url"].label = _("Address of your %(provider)s") % {"provider": provider}
        self.fields["base_url"].help_text = address
        self.fields["api_token"].help_text = token


@dataclass
class Row:
    """A target, the field it comes from, and what that field's options stand for."""

    target: str
    label: Any
    source: BoundField
    options: list[tuple[str, BoundField, bool]]
    lost: bool
    suggestion: str


class MappingForm(forms.Form):
    """One choice of a CRM field per target, and one of ours per option of that field."""

    def __init__(self, data: Any, *, connection: Connection) -> None:
        super().__init__(data)
        self.connection = connection
        self.known = {f"{f.entity}:{f.code}": f for f in connection.fields.all()}
        self.rows_saved = {row.target: row for row in connection.mappings.all()}
        self.client_types = list(ClientType.objects.all())
        for target, _label in Target.choices:
            self._add_target(target)

    def _add_target(self, target: str) -> None:
        saved = self.rows_saved.get(target)
        initial = f"{saved.entity}:{saved.code}" if saved else ""
        self.fields[f"source_{target}"] = forms.ChoiceField(
            label=Target(target).label,
            choices=self._sources(target, initial),
            initial=initial,
            required=False,
        )
        chosen = self.chosen(target)
        if chosen is None or target not in WITH_OPTIONS:
            return
        same = saved is not None and (saved.entity, saved.code) == (chosen.entity, chosen.code)
        values = saved.options if same and saved else option_values(target, chosen)
        for option_id, label in self._options(target, chosen):
            understood = option_values(target, chosen)
            value = values.get(option_id) or understood.get(option_id, "")
            self.fields[f"option_{target}_{option_id}"] = forms.ChoiceField(
                label=label,
                choices=self._values(target, label, value),
                initial=value,
                required=False,
            )

    def _sources(self, target: str, initial: str) -> list[Any]:
        entities = {
            "organization": _("Organisation"),
            "deal": _("Deal"),
            "person": _("Contact person"),
        }
        groups: list[Any] = [("", _("nothing"))]
        for entity in entities_of(target):
            choices = [
                (f"{field.entity}:{field.code}", field.name)
                for field in self.known.values()
                if field.entity == entity
                and field.field_type in USABLE_TYPES[Target(target)]
                and (field.is_custom or (target == Target.BILLING_EMAIL and field.code == "emails"))
            ]
            if choices:
                groups.append((entities[entity], choices))
        if initial and initial not in self.known:
            groups.append((initial, _("a field that is no longer there")))
        return groups

    def chosen(self, target: str) -> ExternalField | None:
        name = f"source_{target}"
        if self.is_bound:
            value = str(self.data.get(name, ""))
        else:
            value = str(self.fields[name].initial or "")
        return self.known.get(value)

    def _options(self, target: str, field: ExternalField) -> list[tuple[str, str]]:
        options = {str(each["id"]): str(each["label"]) for each in field.options}
        saved = self.rows_saved.get(target)
        if saved is not None and (saved.entity, saved.code) == (field.entity, field.code):
            for option_id, example in saved.unknown.items():
                if option_id not in options:
                    options[option_id] = _("%(option)s, as in %(example)s") % {
                        "option": option_id,
                        "example": example,
                    }
        return list(options.items())[:200]

    def _values(self, target: str, label: str, value: str) -> list[tuple[str, str]]:
        nothing = ("", pgettext("option", "nothing yet"))
        if target == Target.LANGUAGE:
            return [nothing, ("fr", _("French")), ("en", _("English"))]
        if target == Target.CLIENT_TYPE:
            types = [(str(row.pk), row.name) for row in self.client_types]
            return [nothing, *types, (NEW, _("a new type, “%(name)s”") % {"name": label[:60]})]
        terms = [f"net:{days}" for days in _DAYS]
        terms += [f"eom_after:{days}" for days in (0, 30, 45, 60)]
        terms += [f"eom_before:{days}" for days in (15, 30, 45)]
        if value and value not in terms:
            terms.append(value)
        return [
            nothing,
            *((each, terms_text(*read)) for each in terms if (read := read_terms(each))),
        ]

    def rows(self) -> Iterator[Row]:
        for target, label in Target.choices:
            saved = self.rows_saved.get(target)
            source = self[f"source_{target}"]
            prefix = f"option_{target}_"
            options = []
            for name in self.fields:
                if name.startswith(prefix):
                    option_id = name.removeprefix(prefix)
                    strange = saved is not None and option_id in saved.unknown
                    options.append((option_id, self[name], strange))
            lost = saved is not None and f"{saved.entity}:{saved.code}" not in self.known
            hint = "" if source.value() else self._suggestion(target)
            yield Row(target, label, source, options, lost, hint)

    def _suggestion(self, target: str) -> str:
        field = suggested(target, list(self.known.values()))
        return field.name if field else ""

    def decided(self) -> dict[str, tuple[ExternalField, dict[str, str]]]:
        """Field and option values by target, from a valid form."""
        decisions = {}
        for target in Target.values:
            field = self.known.get(self.cleaned_data[f"source_{target}"])
            if field is None:
                continue
            prefix = f"option_{target}_"
            options = {
                name.removeprefix(prefix): value
                for name, value in self.cleaned_data.items()
                if name.startswith(prefix) and value
            }
            decisions[target] = (field, options)
        return decisions

    def rules(self) -> Rules:
        """The mapping as it stands in the form, for the preview."""
        saved = load_rules(self.connection)
        sources = tuple(
            Source(
                target,
                field.entity,
                field.code,
                field.name,
                field.field_type,
                {str(each["id"]): str(each["label"]) for each in field.options},
                options,
            )
            for target, (field, options) in self.decided().items()
        )
        return Rules(sources, saved.client_types, saved.zone)


def save_mapping(form: MappingForm) -> None:
    """Keep what a valid form decides; types that it asks for are made."""
    decisions = form.decided()
    with transaction.atomic():
        form.connection.mappings.exclude(target__in=list(decisions)).delete()
        for target, (field, options) in decisions.items():
            labels = {str(each["id"]): str(each["label"]) for each in field.options}
            for option_id, value in options.items():
                if value == NEW:
                    name = labels.get(option_id, option_id)
                    options[option_id] = client_type_for(name, create=True)
            before = form.rows_saved.get(target)
            same = before is not None and (before.entity, before.code) == (field.entity, field.code)
            unknown = before.unknown if same and before else {}
            FieldMapping.objects.update_or_create(
                connection=form.connection,
                target=target,
                defaults={
                    "entity": field.entity,
                    "code": field.code,
                    "options": options,
                    "unknown": {k: v for k, v in unknown.items() if k not in options},
                },
            )
