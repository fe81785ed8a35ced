"""Settings → Documents: layout and colour, seen before they are kept."""

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.company.looks import keep_logo, logo_of, look_of
from invoices.models import Company, KeptLogo
from tests.factories import make_company
from tests.invoices.documents.pdf.papers import logo

pytestmark = [pytest.mark.django_db, pytest.mark.prints]
URL, PREVIEW = "company:documents", "company:documents-preview"


def post(client, **fields):
    given = {"layout": "modern", "colour": "#0B6E4F", "once": new_key(), **fields}
    return client.post(reverse(URL), given)


def test_layout_and_colour_are_kept_and_new_papers_have_them(admin_client):
    make_company()
    assert post(admin_client).status_code == 303
    look = look_of(Company.objects.get(pk=1))
    assert (look.layout, look.colour) == ("modern", "#0b6e4f")
    assert post(admin_client, colour="fc0").status_code == 303
    assert Company.objects.get(pk=1).colour == "#ffcc00"
    assert post(admin_client, colour="").status_code == 303
    assert Company.objects.get(pk=1).colour == ""


@pytest.mark.parametrize("colour", ["red", "#12", "#12345g", "url(x)"])
def test_what_is_no_colour_is_refused_in_words(admin_client, colour):
    make_company()
    answer = post(admin_client, colour=colour)
    assert answer.status_code == 422
    assert "six figures or letters" in answer.text
    assert Company.objects.get(pk=1).colour == ""


def test_the_preview_draws_what_is_typed_and_says_what_becomes_of_a_light_colour(admin_client):
    make_company()
    given = {"layout": "compact", "colour": "#f5c518", "sample": "long", "number": ""}
    text = admin_client.post(reverse(PREVIEW), given).text
    assert text.count("data:image/png;base64,") == 2
    assert "too light to be read on white" in text
    assert Company.objects.get(pk=1).layout == "classic"
    wrong = admin_client.post(reverse(PREVIEW), {**given, "colour": "x"}).text
    assert "six figures or letters" in wrong
    unknown = admin_client.post(reverse(PREVIEW), {**given, "number": "F-9"}).text
    assert "no issued document F-9" in unknown
    pdf = admin_client.post(reverse(PREVIEW), {**given, "sample": "both", "as": "pdf"})
    assert pdf.content.startswith(b"%PDF")


def test_a_logo_of_an_issued_document_stays_when_the_company_has_another():
    company = make_company(logo_png=logo())
    look = look_of(company)
    keep_logo(company)
    keep_logo(company)
    company.logo_png = b""
    company.save()
    assert logo_of(look) == logo()
    assert KeptLogo.objects.count() == 1
    assert logo_of(look_of(company)) is None
