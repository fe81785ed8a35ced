"""The PDF that carries its XML: page = XML = paper, PDF/A-3b, the same bytes each time."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import Decimal
from random import Random

import pikepdf
import pytest
from pypdf import PdfReader

from invoices.documents.facturx import judging
from invoices.documents.facturx.attaching import attachment
from invoices.documents.pdf import render
from tests.invoices.documents.facturx.lawful import SCENES, lawful
from tests.pdf_a import faults_of


def factur_x(paper):
    found = judging.judged(paper)
    assert found.failures == ()
    return found.content, render.render(paper, attachments=(attachment(found.content),))


@pytest.mark.parametrize("seed", range(4))
def test_the_pdf_carries_the_xml_and_stays_pdf_a(seed):
    rng = Random(seed)
    paper = lawful(rng)
    xml, content = factur_x(paper)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert faults_of(pdf) == []
        assert pdf.attachments["factur-x.xml"].get_file().read_bytes() == xml
    assert factur_x(paper) == (xml, content)


def numbers_of(text):
    """Every number of the page, without the spaces and signs of its language."""
    return re.sub(r"[\s\u00a0\u202f,.€£$¥]", "", text)


@pytest.mark.parametrize("seed", range(6))
def test_the_page_shows_the_amounts_that_the_xml_says(seed):
    paper = replace(lawful(Random(seed), SCENES[0]), delivery_address=())
    xml, content = factur_x(paper)
    pages = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    shown, said = numbers_of(pages), xml.decode()
    places = len(str(paper.sub_unit)) - 1
    for minor in (paper.net_minor, paper.total_minor, *(line.net_minor for line in paper.lines)):
        assert f">{Decimal(minor).scaleb(-places):.{places}f}<" in said
        assert str(abs(minor)).zfill(places + 1) in shown
    assert paper.number in pages


def test_a_price_below_zero_becomes_a_quantity_below_zero():
    paper = lawful(Random(3), SCENES[0])
    line = replace(paper.lines[0], quantity=-paper.lines[0].quantity)
    turned = replace(line, quantity=-line.quantity, unit_price=-line.unit_price)
    lines = (replace(line), *paper.lines[1:]), (turned, *paper.lines[1:])
    one, other = (judging.judged(replace(paper, lines=each)).content for each in lines)
    assert one == other


def test_what_xml_cannot_carry_is_left_out():
    paper = replace(lawful(Random(4), SCENES[0]), notes="a\x00b\x0cc\ud800d]]>&<", title="\x1f")
    found = judging.judged(paper)
    assert found.failures == ()
    assert b"abcd]]&gt;&amp;&lt;" in found.content


def test_sellers_elsewhere_and_old_pages_have_none():
    paper = lawful(Random(5))
    assert judging.is_for(paper)
    assert not judging.is_for(replace(paper, seller=replace(paper.seller, country="BE")))
    assert not judging.is_for(replace(paper, billing_mode=""))
