"""Forms of the settings about the company and about rates."""

from __future__ import annotations

import io
import re
import warnings
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import get_currency
from PIL import Image
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.fr import siren, siret

from billing_portal.figures import decimal
from billing_portal.forms import ModelForm
from billing_portal.money import currencies_in_force, is_currency, reader_locale
from billing_portal.typed.days import is_far_ahead
from billing_portal.typed.fields import DayField, LineField, NumberField
from billing_portal.typed.particulars import phone_number, postal_code, web_address
from invoices.company.currencies import company_currency, usual_currencies
from invoices.models import Company, ExchangeRate, LatePenaltyRate

# C. com. L441-10: the rate of the law is the ECB's and so many points; a contract may set another.
POINTS_OVER_THE_ECB = 10
LARGEST_LOGO_BYTES = 2 * 2**20
LARGEST_LOGO_SIDE = 6000
# Sharp in print at the 60 mm that the document gives it.
LOGO_BOX = (1200, 480)
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
    """Those in force, and any other that a client, a rate or the company has."""

    def label(code: str) -> str:
        return f"{code} – {get_currency(code).get_name(reader_locale())}"

    in_use = filter(is_currency, [*usual_currencies(), company_currency()])
    known = currencies_in_force() | set(in_use)
    rest = sorted(known - {*_USUAL_CURRENCIES})
    return [(code, label(code)) for code in (*_USUAL_CURRENCIES, *rest)]


class CompactField(LineField):
    """An identifier as people type it, with spaces, points or hyphens; cleans without them."""

    def to_python(self, value: Any) -> str:
        return re.sub(r"[\s.\-\u00a0\u202f]", "", super().to_python(value) or "").upper()


def read_logo(upload: UploadedFile[bytes]) -> bytes:
    """Decode and write the picture again, so that only pixels are kept: an opaque RGB PNG."""
    if upload.size is None or upload.size > LARGEST_LOGO_BYTES:
        raise ValidationError(_("The picture is larger than 2 MB: save it smaller."))
    if _is_svg(upload):
        raise ValidationError(
            _("SVG drawings are not taken, for they can carry programs: save it as a PNG picture.")
        )
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


def _is_svg(upload: UploadedFile[bytes]) -> bool:
    head = upload.read(1024)
    upload.seek(0)
    return b"<svg" in head or b"<!DOCTYPE svg" in head


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
        self.check_changed("capital", _share_capital)
        self.check_changed("phone", phone_number)
        self.check_changed("website", web_address)
        country = data.get("country", "")
        self.check_changed("postal_code", partial(postal_code, country=country), also=["country"])
        return data

    def save(self, commit: bool = True) -> Company:
        company = self.instance
        company.pk = 1
        logo = self.cleaned_data.get("logo") or (b"" if self.cleaned_data["remove_logo"] else None)
        if logo is not None:
            company.logo_png = logo
        super().save(commit)
        return company

    def changed_columns(self) -> list[str]:
        columns = super().changed_columns()
        return (
            [*columns, "logo_png"] if {"logo", "remove_logo"} & set(self.changed_data) else columns
        )


def _share_capital(text: str) -> str:
    """An amount as statutes write it: “50 000 €”, “10 000 euros, variable”."""
    if not re.match(r"[0-9]", text) or "-" in text:
        raise ValidationError(_("Write an amount, as in 50 000 €."))
    return text


class LatePenaltyRateForm(ModelForm[LatePenaltyRate]):
    starts_on = DayField(
        label=gettext_lazy("From"),
        help_text=gettext_lazy("Of the law: 1 January or 1 July."),
    )
    percent = NumberField(
        label=gettext_lazy("Per cent a year"), places=3, least=Decimal(0), most=Decimal(100)
    )

    class Meta:
        model = LatePenaltyRate
        fields = ["basis", "starts_on", "percent", "source"]
        labels = {"basis": gettext_lazy("Set by"), "source": gettext_lazy("Source")}

    def __init__(self, *args: Any, home: str = "FR", **options: Any) -> None:
        super().__init__(*args, **options)
        self.home = home

    def clean_percent(self) -> Decimal:
        rate: Decimal = self.cleaned_data["percent"]
        if self.home == "FR" and not rate:
            raise ValidationError(
                _(
                    "A seller in France cannot do without late penalties: the rate is at least "
                    "three times the legal one (Code de commerce, L441-10)."
                )
            )
        return rate

    def warning(self) -> str:
        """What a rate under that of the law should make its person look twice at."""
        below = self.cleaned_data["percent"] < POINTS_OVER_THE_ECB
        if self.home != "FR" or not below:
            return ""
        return _(
            "This rate is lower than the law’s, the ECB’s and 10 points. Only a contract can set "
            "it, and at no less than three times the legal rate."
        )

    def clean_starts_on(self) -> Any:
        day = self.cleaned_data["starts_on"]
        if is_far_ahead(day, timezone.localdate()):
            raise ValidationError(_("This day is more than a year away: is the year right?"))
        by_law = self.cleaned_data.get("basis") == LatePenaltyRate.Basis.ECB
        if by_law and (day.month, day.day) not in ((1, 1), (7, 1)):
            raise ValidationError(
                _("A rate of the law begins on 1 January or 1 July: is it one of your contracts?")
            )
        if LatePenaltyRate.objects.filter(starts_on=day).exists():
            raise ValidationError(_("There is a rate from that day already: remove it first."))
        return day


class ExchangeRateForm(ModelForm[ExchangeRate]):
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=currency_choices)
    on = DayField(label=gettext_lazy("On"))
    rate = NumberField(
        label=gettext_lazy("Worth of one unit"),
        places=12,
        least=Decimal("0.000000000001"),
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

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on > timezone.localdate():
            raise ValidationError(_("No rate is published for a day to come."))
        return on

    def warning(self) -> str:
        """A rate far from the one before it is mostly a slip of the decimal sign."""
        row = self.instance
        before = (
            ExchangeRate.objects.filter(currency=row.currency, on__lt=row.on)
            .order_by("-on")
            .first()
        )
        if before is None or before.rate / 2 <= row.rate <= before.rate * 2:
            return ""
        return _(
            "%(rate)s is far from the rate before it, %(before)s: look again, and remove it if it "
            "is wrong."
        ) % {"rate": decimal(row.rate), "before": decimal(before.rate)}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        day, currency = data.get("on"), data.get("currency")
        if day and ExchangeRate.objects.filter(currency=currency, on=day).exists():
            self.add_error(
                "on", _("There is a rate of this currency for that day already: remove it first.")
            )
        return data
