"""A client's particulars, and the people who receive its invoices."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.fr import siren as fr_siren
from stdnum.gb import vat as gb_vat

from billing_portal.accounts.models import User
from billing_portal.forms import ModelForm, row_id
from billing_portal.money import currencies_in_force, is_currency
from billing_portal.typed.fields import LineField, WholeNumberField
from billing_portal.typed.particulars import phone_number, postal_code
from invoices.models import Client, Contact, PaymentTerms
from invoices.models.clients import BuyerKind, usual_ledger_code
from invoices.models.terms import TermsKind
from invoices.tax.territories import EU
from invoices.tax.vat_ids import state_of

LONGEST_TERMS_DAYS = 60
LONGEST_END_OF_MONTH_DAYS = 45


class ClientForm(ModelForm[Client]):
    language = forms.ChoiceField(
        label=gettext_lazy("Language of documents"),
        choices=[("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))],
    )
    bilingual = forms.BooleanField(
        label=gettext_lazy("Documents in both languages"),
        required=False,
        help_text=gettext_lazy("The other language stands beside or under it."),
    )
    # Not required: what is left out stays what it is.
    buyer_kind = forms.ChoiceField(
        label=gettext_lazy("Who buys, by law"), choices=BuyerKind, required=False
    )
    terms_days = WholeNumberField(label=gettext_lazy("Days"), least=0, most=365)
    # Longer than the columns: people type them with spaces.
    siren = LineField(label=gettext_lazy("SIREN"), required=False, max_length=20)
    vat_id = LineField(label=gettext_lazy("VAT id"), required=False, max_length=30)
    ledger_code = LineField(label=gettext_lazy("Auxiliary account"), required=False, max_length=17)

    class Meta:
        model = Client
        fields = [
            "name", "client_type", "owner", "language", "bilingual", "currency", "terms_kind",
            "terms_days", "terms", "buyer_kind", "vat_id", "siren", "address_line1",
            "address_line2", "postal_code", "city", "country", "delivery_address",
            "delivery_postal_code", "delivery_city", "delivery_country", "billing_email",
            "needs_purchase_order", "monthly_statement", "note", "ledger_code",
        ]  # fmt: skip
        widgets = {
            "note": forms.Textarea({"rows": 3}),
            "delivery_address": forms.Textarea({"rows": 2}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.order_by("name", "email")
        terms: Any = self.fields["terms"]
        terms.queryset = PaymentTerms.objects.filter(
            Q(archived=False) | Q(pk=self.instance.terms_id)
        )
        terms.empty_label = _("Due whole, by the terms above")
        # No question where there is nothing to choose.
        self.offers_terms = terms.queryset.exists()
        self.fields["currency"].help_text = _("Three letters: EUR, USD, GBP…")
        self.fields["country"].help_text = _("Two letters: FR, DE, US…")
        usual = usual_ledger_code(self.instance.pk) if self.instance.pk else ""
        self.fields["ledger_code"].help_text = (
            _("In the accountant’s ledger; empty: %(code)s.") % {"code": usual}
            if usual
            else _("In the accountant’s ledger; empty: one is made up.")
        )

    def clean_buyer_kind(self) -> str:
        # Sent empty it is left out too: no client is of no kind.
        return str(self.cleaned_data["buyer_kind"] or self.instance.buyer_kind)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if not is_currency(code):
            raise ValidationError(
                _("“%(code)s” is not a currency: write EUR, USD, GBP…") % {"code": code}
            )
        # What a client has is kept: its old invoices are in it.
        if code != self.instance.currency and code not in currencies_in_force():
            raise ValidationError(
                _("“%(code)s” is no longer a currency of any country.") % {"code": code}
            )
        return code

    def clean_country(self) -> str:
        return _country(self.cleaned_data["country"])

    def clean_delivery_country(self) -> str:
        return _country(self.cleaned_data["delivery_country"] or "", required=False)

    def clean_siren(self) -> str:
        text = str(self.cleaned_data["siren"])
        if not text:
            return ""
        try:
            return str(fr_siren.validate(text))
        except StdnumError:
            raise ValidationError(
                _("“%(text)s” is not a SIREN: nine digits whose last one is a check digit.")
                % {"text": text}
            ) from None

    def clean_vat_id(self) -> str:
        text = str(self.cleaned_data["vat_id"]).strip().upper().replace(" ", "")
        if not text:
            return ""
        prefix = text[:2].lower()
        try:
            if prefix == "gb":
                return f"GB{gb_vat.validate(text)}"
            if prefix in {*eu_vat.MEMBER_STATES, "el"}:
                return str(eu_vat.validate(text))
        except StdnumError:
            raise ValidationError(
                _("“%(text)s” is not a valid VAT id: a digit may be wrong.") % {"text": text}
            ) from None
        # Elsewhere there is no common check.
        return text

    def clean_ledger_code(self) -> str:
        code = str(self.cleaned_data["ledger_code"]).upper()
        if not code:
            return ""
        if not re.fullmatch(r"[A-Z0-9]{2,17}", code):
            raise ValidationError(_("Two to seventeen letters A–Z and figures: DUPONT, C000123."))
        if self.instance.pk and code == usual_ledger_code(self.instance.pk):
            return ""
        if re.fullmatch(r"C[0-9]{6,}", code):
            raise ValidationError(
                _("Codes such as C000123 are the portal’s own, one for each client: take another.")
            )
        others = Client.objects.exclude(pk=self.instance.pk)
        if taken := others.filter(ledger_code=code).first():
            raise ValidationError(
                _("%(code)s is the account of %(name)s.") % {"code": code, "name": taken.name}
            )
        return code

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        country, vat_id = found.get("country", ""), found.get("vat_id", "")
        if vat_id and country in EU and not state_of(vat_id) and not vat_id.startswith("GB"):
            text = _(
                "“%(text)s” is not a VAT id: one of the Union begins with the letters of its "
                "state, such as DE129273398."
            )
            self.add_error("vat_id", ValidationError(text % {"text": vat_id}))
        siren = found.get("siren", "")
        if siren and state_of(vat_id) == "FR" and vat_id[4:] != siren:
            text = _("A French VAT id ends with the SIREN, %(siren)s.") % {"siren": siren}
            self.add_error("vat_id", ValidationError(text))
        self.check_changed("postal_code", partial(postal_code, country=country), also=["country"])
        there = found.get("delivery_country", "") or country
        also = ["country", "delivery_country"]
        self.check_changed("delivery_postal_code", partial(postal_code, country=there), also=also)
        return found

    def terms_warning(self) -> str:
        """The legal maximum is warned about, not enforced: a contract abroad may differ."""
        kind, days = self["terms_kind"].value(), self["terms_days"].value()
        try:
            number = int(days)
        except (TypeError, ValueError):
            return ""
        if kind == TermsKind.NET and number > LONGEST_TERMS_DAYS:
            return _("French law allows at most 60 days from the invoice date.")
        if kind != TermsKind.NET and number > LONGEST_END_OF_MONTH_DAYS:
            return _("French law allows at most 45 days end of month.")
        return ""


def _country(typed: str, *, required: bool = True) -> str:
    code = str(typed).strip().upper()
    if not code and not required:
        return ""
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValidationError(_("Write the country in two letters: FR, DE, US…"))
    return code


class ContactForm(ModelForm[Contact]):
    class Meta:
        model = Contact
        fields = ["name", "email", "phone", "job_title", "receives_invoices"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        self.check_changed("phone", phone_number)
        return found


def chosen_client(text: str) -> Client | None:
    """The client whose id an address or a form names."""
    if (client_id := row_id(text)) is None:
        return None
    return Client.objects.select_related("client_type").filter(pk=client_id).first()
