"""Forms of the settings about the company, its documents, client types and rates."""

from __future__ import annotations

import io
import re
import warnings
from decimal import Decimal
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed.classes import CURRENCIES, get_currency
from PIL import Image
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.fr import siren, siret

from billing_portal.dates import DateTextField
from billing_portal.forms import ModelForm
from billing_portal.money import (
    DecimalTextField,
    MoneyField,
    from_minor,
    reader_locale,
    to_minor,
)
from invoices.models import ClientType, Company, ExchangeRate, LatePenaltyRate, NumberSeries
from invoices.models.terms import TermsKind

LARGEST_LOGO_BYTES = 2 * 2**20
LARGEST_LOGO_SIDE = 6000
# Sharp in print at the 60 mm that the document gives it.
LOGO_BOX = (1200, 480)
LONGEST_NUMBER = 35
_PREFIX = re.compile(r"[A-Za-z0-9+\-_/]*\{year\}[A-Za-z0-9+\-_/]*")
_USUAL_CURRENCIES = ("EUR", "USD", "GBP", "CHF")


def country_choices() -> list[tuple[str, str]]:
    names = Locale.parse(reader_locale()).territories
    found = [
        (str(code), str(name))
        for code, name in names.items()
        if re.fullmatch(r"[A-Z]{2}", str(code)) and code not in _NO_COUNTRY
    ]
    return sorted(found, key=lambda pair: pair[1])


_NO_COUNTRY = {"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"}


def currency_choices() -> list[tuple[str, str]]:
    def label(code: str) -> str:
        return f"{code} – {get_currency(code).get_name(reader_locale())}"

    rest = sorted(
        code
        for code in CURRENCIES
        if code not in _USUAL_CURRENCIES and not code.startswith("X") and len(code) == 3
    )
    return [(code, label(code)) for code in (*_USUAL_CURRENCIES, *rest)]


class CompactField(forms.CharField):
    """An identifier as people type it, with spaces, points or hyphens; cleans without them."""

    def to_python(self, value: Any) -> str:
        return re.sub(r"[\s.\-\u00a0\u202f]", "", super().to_python(value) or "").upper()


def read_logo(upload: UploadedFile[bytes]) -> bytes:
    """Decode and write the picture again, so that only pixels are kept: an opaque RGB PNG."""
    if upload.size is None or upload.size > LARGEST_LOGO_BYTES:
        raise ValidationError(_("The picture is larger than 2 MB: save it smaller."))
    unreadable = _("This is no picture that can be read: take a PNG, JPEG, WebP or GIF file.")
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that would fill the memory.
            warnings.simplefilter("error")
            with Image.open(upload, formats=["PNG", "JPEG", "WEBP", "GIF"]) as picture:
                if max(picture.size) > LARGEST_LOGO_SIDE:
                    raise ValidationError(
                        _("The picture is %(width)s × %(height)s pixels; at most %(most)s.")
                        % {
                            "width": picture.width,
                            "height": picture.height,
                            "most": LARGEST_LOGO_SIDE,
                        }
                    )
                if min(picture.size) < 16:
                    raise ValidationError(_("The picture is too small to print."))
                pixels = picture.convert("RGBA")
    except ValidationError:
        raise
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as problem:
        raise ValidationError(unreadable) from problem
    flat = Image.new("RGB", pixels.size, "white")
    flat.paste(pixels, mask=pixels.getchannel("A"))
    flat.thumbnail(LOGO_BOX, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    flat.save(out, "PNG", optimize=True)
    return out.getvalue()


class CompanyForm(ModelForm[Company]):
    siren = CompactField(label=_("SIREN"), required=False, max_length=20)
    siret = CompactField(label=_("SIRET"), required=False, max_length=30)
    vat_id = CompactField(label=gettext_lazy("VAT id"), required=False, max_length=30)
    iban = CompactField(label="IBAN", required=False, max_length=60)
    bic = CompactField(label="BIC", required=False, max_length=20)
    country = forms.ChoiceField(label=gettext_lazy("Country"), choices=country_choices)
    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        help_text=gettext_lazy("PNG, JPEG, WebP or GIF, at most 2 MB; printed on each document."),
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp,image/gif"}),
    )
    remove_logo = forms.BooleanField(label=gettext_lazy("Remove the logo"), required=False)

    class Meta:
        model = Company
        fields = [
            "name",
            "legal_form",
            "capital",
            "siren",
            "siret",
            "rcs_city",
            "vat_id",
            "address_line1",
            "address_line2",
            "postal_code",
            "city",
            "country",
            "email",
            "phone",
            "website",
            "iban",
            "bic",
        ]
        labels = {
            "name": gettext_lazy("Name"),
            "legal_form": gettext_lazy("Legal form"),
            "capital": gettext_lazy("Share capital"),
            "rcs_city": gettext_lazy("City of the trade register (RCS)"),
            "address_line1": gettext_lazy("Address"),
            "address_line2": gettext_lazy("Second line"),
            "postal_code": gettext_lazy("Postal code"),
            "city": gettext_lazy("City"),
            "email": gettext_lazy("Email"),
            "phone": gettext_lazy("Telephone"),
            "website": gettext_lazy("Website"),
        }

    def clean_siren(self) -> str:
        value: str = self.cleaned_data["siren"]
        if value and not siren.is_valid(value):
            raise ValidationError(
                _("%(value)s is no SIREN: nine figures, the last one is a check digit.")
                % {"value": value}
            )
        return value

    def clean_siret(self) -> str:
        value: str = self.cleaned_data["siret"]
        if value and not siret.is_valid(value):
            raise ValidationError(
                _("%(value)s is no SIRET: fourteen figures, the last one is a check digit.")
                % {"value": value}
            )
        return value

    def clean_vat_id(self) -> str:
        value: str = self.cleaned_data["vat_id"]
        if value and vat.guess_country(value) == [] and not re.fullmatch(r"[A-Z0-9]{4,20}", value):
            raise ValidationError(_("%(value)s is no VAT id.") % {"value": value})
        european = value[:2].lower() in vat.MEMBER_STATES or value[:2] == "EL"
        if value and european and not vat.is_valid(value):
            raise ValidationError(
                _("%(value)s is no VAT id of %(country)s: check each sign.")
                % {"value": value, "country": value[:2]}
            )
        return value

    def clean_iban(self) -> str:
        value: str = self.cleaned_data["iban"]
        if value and not iban.is_valid(value):
            raise ValidationError(
                _("%(value)s is no IBAN: its check digits do not agree.") % {"value": value}
            )
        return value

    def clean_bic(self) -> str:
        value: str = self.cleaned_data["bic"]
        if value and not bic.is_valid(value):
            raise ValidationError(
                _("%(value)s is no BIC: eight or eleven letters and figures.") % {"value": value}
            )
        return value

    def clean_logo(self) -> bytes | None:
        upload = self.cleaned_data.get("logo")
        return read_logo(upload) if upload else None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        number, place, vat_number = data.get("siren"), data.get("siret"), data.get("vat_id")
        if number and place and not place.startswith(number):
            self.add_error(
                "siret",
                _("The SIRET must begin with the SIREN, %(siren)s.") % {"siren": number},
            )
        if number and vat_number and vat_number.startswith("FR") and vat_number[4:] != number:
            self.add_error(
                "vat_id",
                _("A French VAT id ends with the SIREN, %(siren)s.") % {"siren": number},
            )
        return data

    def save(self, commit: bool = True) -> Company:
        company = super().save(commit=False)
        company.pk = 1
        if self.cleaned_data.get("logo"):
            company.logo_png = self.cleaned_data["logo"]
        elif self.cleaned_data.get("remove_logo"):
            company.logo_png = b""
        company.save()
        return company


class InvoicingForm(ModelForm[Company]):
    terms_days = forms.IntegerField(label=gettext_lazy("Days"), min_value=0, max_value=365)
    vat_rate = DecimalTextField(
        label=gettext_lazy("Usual VAT rate, in per cent"),
        places=2,
        least=Decimal(0),
        most=Decimal(100),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=currency_choices)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of documents"),
        choices=[("fr", gettext_lazy("French")), ("en", gettext_lazy("English"))],
    )
    number_width = forms.IntegerField(
        label=gettext_lazy("Digits of the number"), min_value=3, max_value=9
    )
    billing_starts_on = DateTextField(
        label=gettext_lazy("First day of billing here"),
        required=False,
        help_text=gettext_lazy(
            "Deals won before it were billed in the old system: the queue leaves them out."
        ),
    )

    class Meta:
        model = Company
        fields = [
            "invoice_prefix",
            "credit_note_prefix",
            "number_width",
            "billing_starts_on",
            "currency",
            "language",
            "terms_kind",
            "terms_days",
            "vat_rate",
            "vat_on_debits",
            "discount_terms_fr",
            "discount_terms_en",
        ]
        labels = {
            "invoice_prefix": gettext_lazy("Invoices begin with"),
            "credit_note_prefix": gettext_lazy("Credit notes begin with"),
            "terms_kind": gettext_lazy("Payment terms"),
            "vat_on_debits": gettext_lazy("VAT is due when invoiced (on debits)"),
            "discount_terms_fr": gettext_lazy("Early-payment discount, in French"),
            "discount_terms_en": gettext_lazy("Early-payment discount, in English"),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        indemnity_currency = self.instance.currency or "EUR"
        self.fields["indemnity"] = MoneyField(
            label=_("Recovery indemnity per late invoice"),
            currency=indemnity_currency,
            least=Decimal(0),
            help_text=_("French law: 40 euros. Printed on each invoice."),
        )
        amount = from_minor(self.instance.indemnity_minor, indemnity_currency).amount
        self.initial["indemnity"] = f"{amount:f}"
        self.initial["vat_rate"] = f"{self.instance.vat_rate:f}"

    def clean_invoice_prefix(self) -> str:
        return self._prefix("invoice_prefix", "invoice")

    def clean_credit_note_prefix(self) -> str:
        return self._prefix("credit_note_prefix", "credit_note")

    def _prefix(self, name: str, kind: str) -> str:
        value: str = self.cleaned_data[name]
        if not _PREFIX.fullmatch(value):
            raise ValidationError(
                _(
                    "Write {year} where the year goes, once, and else only letters A–Z, figures "
                    "and + - _ /: for example F-{year}-."
                )
            )
        for series in NumberSeries.objects.exclude(kind=kind):
            if series.prefix == value.replace("{year}", str(series.year)):
                raise ValidationError(
                    _("%(prefix)s already numbers other documents of %(year)s.")
                    % {"prefix": series.prefix, "year": series.year}
                )
        return value

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, second = data.get("invoice_prefix"), data.get("credit_note_prefix")
        if first and first == second:
            self.add_error(
                "credit_note_prefix", _("Credit notes need another beginning than invoices.")
            )
        width = data.get("number_width") or 0
        for name in ("invoice_prefix", "credit_note_prefix"):
            length = len((data.get(name) or "").replace("{year}", "2026")) + width
            if length > LONGEST_NUMBER:
                self.add_error(
                    name,
                    _("A number would have %(n)s signs; at most %(most)s are allowed.")
                    % {"n": length, "most": LONGEST_NUMBER},
                )
        return data

    def save(self, commit: bool = True) -> Company:
        company = super().save(commit=False)
        company.indemnity_minor = to_minor(self.cleaned_data["indemnity"])
        company.save()
        return company

    @property
    def beyond_the_law(self) -> bool:
        """60 days from the invoice date, or 45 with an end of month (C. com. L441-10)."""
        most = 60 if self.instance.terms_kind == TermsKind.NET else 45
        return self.instance.terms_days > most


class ClientTypeForm(ModelForm[ClientType]):
    class Meta:
        model = ClientType
        fields = ["name", "mark"]
        labels = {"name": gettext_lazy("Name"), "mark": gettext_lazy("Mark in charts and lists")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        taken = set(
            ClientType.objects.exclude(pk=self.instance.pk)
            .exclude(mark=ClientType.Mark.NONE)
            .values_list("mark", flat=True)
        )
        field = self.fields["mark"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (mark.value, MARK_WORDS[mark]) for mark in ClientType.Mark if mark not in taken
        ]
        field.help_text = _("Each mark is given once; those that are taken are not listed.")

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        others = ClientType.objects.exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise ValidationError(_("There is a client type %(name)s already.") % {"name": name})
        return name


MARK_WORDS = {
    ClientType.Mark.LARGE: gettext_lazy("indigo circle"),
    ClientType.Mark.SME: gettext_lazy("blue square"),
    ClientType.Mark.STARTUP: gettext_lazy("yellow triangle"),
    ClientType.Mark.PUBLIC: gettext_lazy("pink diamond"),
    ClientType.Mark.NONPROFIT: gettext_lazy("green cross"),
    ClientType.Mark.INTERNATIONAL: gettext_lazy("brown star"),
    ClientType.Mark.NONE: gettext_lazy("grey, hollow circle"),
}


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        label=gettext_lazy("Move its clients to"),
        queryset=ClientType.objects.none(),
        empty_label=gettext_lazy("Choose a type"),
    )

    def __init__(self, *args: Any, source: ClientType, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["into"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = ClientType.objects.exclude(pk=source.pk)


class LatePenaltyRateForm(ModelForm[LatePenaltyRate]):
    starts_on = DateTextField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("1 January or 1 July, unless your contracts say otherwise."),
    )
    percent = DecimalTextField(
        label=gettext_lazy("Per cent a year"), places=3, least=Decimal(0), most=Decimal(100)
    )

    class Meta:
        model = LatePenaltyRate
        fields = ["starts_on", "percent", "source"]
        labels = {"source": gettext_lazy("Source")}

    def clean_starts_on(self) -> Any:
        day = self.cleaned_data["starts_on"]
        if LatePenaltyRate.objects.filter(starts_on=day).exists():
            raise ValidationError(_("There is a rate from that day already: remove it first."))
        return day


class ExchangeRateForm(ModelForm[ExchangeRate]):
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=currency_choices)
    on = DateTextField(label=gettext_lazy("On"))
    rate = DecimalTextField(
        label=gettext_lazy("Worth of one unit"),
        places=8,
        least=Decimal("0.00000001"),
        most=Decimal(10**9),
        help_text=gettext_lazy("In the company’s currency."),
    )

    class Meta:
        model = ExchangeRate
        fields = ["currency", "on", "rate", "source"]
        labels = {"source": gettext_lazy("Source")}

    def __init__(self, *args: Any, ours: str = "EUR", **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        # Ours is worth itself.
        field.choices = [pair for pair in currency_choices() if pair[0] != ours]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        day, currency = data.get("on"), data.get("currency")
        if day and ExchangeRate.objects.filter(currency=currency, on=day).exists():
            self.add_error(
                "on", _("There is a rate of this currency for that day already: remove it first.")
            )
        return data
