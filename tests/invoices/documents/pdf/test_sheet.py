"""How a page is filled: close lines, nothing alone on a page, layouts, languages, scripts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import pikepdf
import pytest
from pypdf import PdfReader

from invoices.documents import mentions
from invoices.documents.look import LAYOUTS, Look
from invoices.documents.paper import Paper, PaperVat
from invoices.documents.pdf.render import render, unprintable
from tests.invoices.documents.pdf.papers import BUYER, SELLER, logo, make_paper
from tests.invoices.documents.pdf.test_render import text_of

pytestmark = pytest.mark.prints


def lines(count):
    return [(f"Ligne {n}", "DAY", "1", "10", "20") for n in range(1, count + 1)]


def pages_of(content):
    return [text_of(content, n) for n in range(len(PdfReader(BytesIO(content)).pages))]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_eighteen_lines_with_a_logo_and_a_subject_are_one_page(layout):
    paper = make_paper(
        *lines(18), title="Développement", look=Look(layout=layout, colour="#0b6e4f")
    )
    (page,) = pages_of(render(paper, logo_png=logo()))
    for part in ("Ligne 18", "Total TTC", "FR76 3000", "Page 1 sur 1", "40 €"):
        assert part in page


@pytest.mark.parametrize("count", [23, 26, 33, 60])
def test_no_page_bears_bank_data_alone_and_each_says_who_and_what(count):
    pages = pages_of(render(make_paper(*lines(count))))
    assert len(pages) > 1
    last = pages[-1]
    for part in (f"Ligne {count}", f"Ligne {count - 1}", "Total TTC", "FR76 3000", "12,15 %"):
        assert part in last
    for page in pages[1:]:
        for said in ("Kerlann Conseil · Facture F-2026-0744 · 25 septembre 2026", BUYER.name):
            assert said in page
    assert "Kerlann Conseil · Facture" not in pages[0]


def test_rates_stand_in_one_order_whatever_the_order_of_the_rows():
    paper = make_paper(("a", "C62", "1", "10", "20"), ("b", "C62", "1", "10", "5.5"))
    turned = replace(paper, breakdown=tuple(reversed(paper.breakdown)), kind="credit_note")
    for each in (paper, turned):
        text = text_of(render(each))
        assert text.index("TVA 5,5 %") < text.index("TVA 20 %")


def test_without_vat_the_net_total_is_said_too():
    text = text_of(render(make_paper(("Conseil", "DAY", "1", "100", "0"))))
    assert "Total HT 100,00 €" in text
    assert "Total 100,00 €" in text
    assert isinstance(make_paper().breakdown[0], PaperVat)


def test_the_register_goes_before_the_number_and_english_prices_say_what_they_are():
    assert "RCS Nantes 123 456 782" in text_of(render(make_paper()))
    without = replace(SELLER, rcs_city="")
    assert "SIREN 123 456 782" in text_of(render(make_paper(seller=without)))
    assert "Unit price excl. VAT" in text_of(render(make_paper(language="en")))


def test_nothing_is_printed_smaller_than_can_be_read():
    sizes = set()
    paper = make_paper(*lines(9), vat_on_debits=True, notes="Merci.")
    for page in PdfReader(BytesIO(render(paper))).pages:
        page.extract_text(
            visitor_text=lambda text, _cm, tm, _font, size: (
                sizes.add(round(size * abs(tm[3]), 1)) if text.strip() else None
            )
        )
    assert min(sizes) >= 7.5


def test_the_file_says_when_it_was_made_and_is_the_same_for_the_same_moment():
    at = datetime(2026, 9, 26, 14, 3, 5, tzinfo=UTC)
    paper = make_paper(look=Look(layout="modern", colour="#b91c1c"))
    content = render(paper, logo_png=logo(), made_at=at)
    with pikepdf.open(BytesIO(content)) as file:
        assert str(file.docinfo["/CreationDate"]) == "D:20260926140305+00'00'"
    again = Paper.from_json(paper.to_json())
    assert again.look == paper.look
    assert render(again, logo_png=logo(), made_at=at) == content


def test_a_paper_of_before_looks_has_none_and_is_written_as_it_was():
    stored = make_paper().to_json()
    assert not {"look", "second_language", "second_terms", "second_claims"} & set(stored)
    assert Paper.from_json(stored).look == Look()


def test_a_page_in_two_languages_says_everything_twice():
    paper = make_paper(
        *lines(2),
        second_language="en",
        second_terms=mentions.due_by("en", date(2026, 10, 25)),
        second_claims=(mentions.early_payment("en"), mentions.recovery_indemnity("en")),
    )
    text = text_of(render(paper))
    for said in (
        "Facture / Invoice",
        "Facturé à / Billed to",
        "1 jour / day",
        "TVA / VAT 20 % sur / on 20,00 €",
        "Total TTC / Total including VAT",
        "To be paid by 25 October 2026",
        "No discount for early payment.",
        "Pas d’escompte pour paiement anticipé.",
        "Page 1 sur / of 1",
    ):
        assert said in text, said


def test_chinese_japanese_and_korean_are_drawn_and_only_then_is_their_font_read():
    paper = make_paper(
        ("株式会社のための開発", "DAY", "1", "10", "20"),
        ("소프트웨어 개발", "DAY", "1", "10", "20"),
        buyer=replace(BUYER, name="株式会社 東京サービス"),
        title="北京软件",
    )
    content = render(paper)
    text = text_of(content)
    for said in ("株式会社のための開発", "소프트웨어 개발", "東京サービス", "北京软件"):
        assert said in text
    assert "□" not in text
    assert unprintable(paper) == ()
    assert len(content) < 120_000
    assert b"PortalEastAsian" in content
    assert b"PortalEastAsian" not in render(make_paper())
