"""The ECB's files of reference rates: read whatever their form, kept once, never guessed."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from invoices.company import ecb_file, importing_rates
from invoices.company.ecb_file import NotTheFile, Published
from invoices.models import ExchangeRate
from tests.factories import make_client, make_company

# The forms are those of the ECB's files; the figures are made up.
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time='2026-11-24'>
      <Cube currency='USD' rate='1.1520'/><Cube currency='JPY' rate='180.55'/>
    </Cube>
    <Cube time='2026-11-23'>
      <Cube currency='USD' rate='1.1500'/><Cube currency='JPY' rate='181.10'/>
    </Cube>
  </Cube>
</gesmes:Envelope>"""
ONE_DAY = b"Date, USD, JPY, CYP, \n24 November 2026, 1.1520, 180.55, N/A, \n"
HISTORY = (
    b"\xef\xbb\xbfDate,USD,JPY,CYP,\r\n2026-11-24,1.1520,180.55,N/A,\r\n"
    b"2026-11-23,1.1500,181.10,,\r\n\r\n"
)


def _zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(f"{name}.csv", content)
    return out.getvalue()


@pytest.mark.parametrize(
    "content", [XML, HISTORY, _zipped(eurofxref_hist=HISTORY)], ids=["xml", "csv", "zip"]
)
def test_every_form_of_the_file_says_the_same(content):
    assert sorted(ecb_file.read(content)) == [
        Published("JPY", date(2026, 11, 23), Decimal("181.10")),
        Published("JPY", date(2026, 11, 24), Decimal("180.55")),
        Published("USD", date(2026, 11, 23), Decimal("1.1500")),
        Published("USD", date(2026, 11, 24), Decimal("1.1520")),
    ]


def test_the_file_of_one_day_writes_its_month():
    assert list(ecb_file.read(ONE_DAY)) == [
        Published("USD", date(2026, 11, 24), Decimal("1.1520")),
        Published("JPY", date(2026, 11, 24), Decimal("180.55")),
    ]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
THEFT = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no rates"), (b"\xff\xfe\x00", "holds no rates"),
        (b"%PDF-1.7", "holds no rates"), (b"{}", "holds no rates"),
        (b"currency,rate\nUSD,1.1\n", "holds no rates"), (b"<html></html>", "holds no rates"),
        (XML[:-30], "no well-formed XML"), (BOMB, "holds no rates"), (THEFT, "holds no rates"),
        (b"PK\x03\x04broken", "cannot be opened"), (_zipped(), "does not hold one CSV"),
        (_zipped(a=HISTORY, b=HISTORY), "does not hold one CSV"),
        (b"Date,USD,\n24/11/2026,1.15,\n", "Line 2: \u201c24/11/2026\u201d is no day"),
        (b"Date,USD,\n2026-11-24,-1.15,\n", "\u201c-1.15\u201d is no rate of USD"),
        (b"Date,USD,\n2026-11-24,NaN,\n", "\u201cNaN\u201d is no rate of USD"),
        (b"Date,USD,\n2026-11-24,1,15,\n" * 2, "is no day"),
        (XML.replace(b"180.55", b"1e400"), "\u201c1e400\u201d is no rate of JPY"),
        (XML.replace(b"JPY", b"<b>"), "no well-formed XML"),
    ],
)  # fmt: skip
def test_what_is_not_the_file_gets_a_sentence(content, said):
    with pytest.raises(NotTheFile, match=said):
        list(ecb_file.read(content))


def test_an_archive_that_swells_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(ecb_file, "MAX_BYTES", 1_000)
    with pytest.raises(NotTheFile, match="too large"):
        list(ecb_file.read(_zipped(a=b"Date,USD,\n" + b" " * 2_000)))


@given(
    st.decimals(min_value="0.0001", max_value="100000", places=4),
    st.integers(min_value=1, max_value=10**11),
)
def test_an_amount_is_worth_what_the_published_rate_makes_of_it(per_euro, units):
    """Our rate is the other way round, with so many decimals that no cent is lost by it."""
    rate = importing_rates.worth_of(per_euro, Decimal(1))
    amount = Decimal(units)
    if amount / per_euro < 10**9:
        assert abs(amount * rate - amount / per_euro) <= Decimal("0.051")
    assert rate > 0


@pytest.mark.django_db
def test_the_file_comes_in_once_and_changes_nothing_that_is_kept(admin_client):
    make_company()
    make_client(currency="USD")
    typed = ExchangeRate.objects.create(
        currency="USD", on=date(2026, 11, 23), rate="0.9", source="Typed"
    )
    url = reverse("company:ecb")
    assert "USD" in admin_client.get(url).text

    def send(content, **changed):
        data = {"since": "1/1/2026", "currencies": ["USD"], **changed}
        return admin_client.post(
            url, {**data, "file": SimpleUploadedFile("eurofxref", content)}, follow=True
        )

    page = send(XML)
    assert "1 rate came in: USD, 24\u00a0Nov" in page.text
    assert "1 rate differs from the one kept here, which stays: USD on 23\u00a0Nov" in page.text
    came = ExchangeRate.objects.exclude(pk=typed.pk).get()
    assert (came.currency, came.on, came.rate) == (
        "USD",
        date(2026, 11, 24),
        Decimal("0.868055555556"),
    )
    assert came.source == "European Central Bank, euro reference rate"
    assert ExchangeRate.objects.get(pk=typed.pk).rate == Decimal("0.9")
    typed.delete()
    assert "1 rate came in: USD, 23\u00a0Nov" in send(_zipped(hist=HISTORY)).text
    assert "Nothing new" in send(HISTORY).text
    assert ExchangeRate.objects.count() == 2
    # Rounded by hand is the same rate.
    ExchangeRate.objects.filter(on=date(2026, 11, 24)).update(rate=Decimal("0.8681"))
    assert "Nothing new" in send(HISTORY).text
    assert "nothing of these days for GBP" in send(HISTORY, currencies=["USD", "GBP"]).text
    refused = send(b"{}")
    assert refused.status_code == 422 and "holds no rates" in refused.text
    assert "Choose at least one currency" in send(HISTORY, currencies=[]).text
    assert "in the future" in send(HISTORY, since="1/1/2030").text


@pytest.mark.django_db
def test_a_company_of_another_currency_gets_what_both_rates_make():
    make_company(currency="USD")
    outcome = importing_rates.bring_in(
        ecb_file.read(XML), ours="USD", currencies=["EUR", "JPY", "USD"],
        since=date(2026, 11, 24), until=date(2026, 11, 24),
    )  # fmt: skip
    assert outcome.added == 2 and outcome.missing == []
    found = dict(ExchangeRate.objects.values_list("currency", "rate"))
    assert found == {"EUR": Decimal("1.152"), "JPY": Decimal("0.006380504016")}


@pytest.mark.django_db
def test_the_command_brings_in_what_the_company_uses(tmp_path, capsys):
    make_company()
    make_client(currency="JPY")
    file = tmp_path / "eurofxref-hist.csv"
    file.write_bytes(HISTORY)
    call_command("import_rates", str(file), "--since", "2026-01-01", "--dry-run")
    assert "2 new" in capsys.readouterr().out and not ExchangeRate.objects.exists()
    call_command("import_rates", str(file), "--since", "2026-01-01")
    assert "2 new, 0 already there, 0 differ" in capsys.readouterr().out
    assert set(ExchangeRate.objects.values_list("currency", flat=True)) == {"JPY"}
    file.write_bytes(b"{}")
    with pytest.raises(CommandError, match="holds no rates"):
        call_command("import_rates", str(file))
