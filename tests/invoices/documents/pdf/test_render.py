"""The printed document: read back from its bytes."""

import re
import shutil
import socket
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pikepdf
import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader
from xhtml2pdf import parser, pisa

from invoices.documents import mentions
from invoices.documents.paper import Buyer, Paper
from invoices.documents.pdf import render as pdf
from invoices.documents.pdf.archive import Attachment, Facts, finish
from invoices.documents.pdf.checking import Unprintable
from invoices.documents.pdf.codes import payment_code
from invoices.documents.pdf.render import PdfRefused, render, unprintable
from invoices.documents.pdf.text import printable
from invoices.documents.totals import DiscountInput
from tests.invoices.documents.pdf.papers import BUYER, PILOTING, SELLER, logo, make_paper

pytestmark = pytest.mark.prints


def text_of(data, page=None):
    """The text as one line, every kind of space as one space."""
    pages = PdfReader(BytesIO(data)).pages
    chosen = pages if page is None else [pages[page]]
    return re.sub(r"\s+", " ", " ".join(each.extract_text() for each in chosen))


def test_a_french_invoice_says_what_the_law_asks():
    text = text_of(render(make_paper(vat_on_debits=True, delivery_address=("Site de Crozon",))))
    for mention in (
        "Facture F-2026-0744",
        "Date d’émission 25 septembre 2026",
        "Échéance 25 octobre 2026",
        "Kerlann Conseil SAS au capital de 50 000 €",
        "14, quai de la Fosse, 44000 Nantes",
        "RCS Nantes 123 456 782",
        "SIRET 123 456 782 00019",
        "TVA FR11123456782",
        "Brasserie du Port",
        "2, place de l’Hôtel-de-Ville",
        "SIREN 200 067 072",
        "TVA FR32200067072",
        "Livré à Site de Crozon",
        "Bon de commande EJ-2026-004817",
        "Période : septembre 2026",
        "Prestation de services",
        "Pilotage du projet",
        "4 jours",
        "925,00",
        "3 700,00",
        "Total HT 3 700,00 €",
        "TVA 20 % sur 3 700,00 € 740,00 €",
        "Total TTC 4 440,00 €",
        "À régler au plus tard le 25 octobre 2026.",
        "FR76 3000 6000 0112 3456 7890 189",
        "AGRIFRPP",
        "Pas d’escompte pour paiement anticipé.",
        "12,15 %",
        "40 €",
        "TVA d’après les débits",
        "Page 1 sur 1",
    ):
        assert mention in text, mention


def test_an_english_invoice_in_pounds():
    text = text_of(render(make_paper(currency="GBP", language="en")))
    for mention in (
        "Invoice F-2026-0744",
        "Issue date 25 September 2026",
        "4 days",
        "Total excluding VAT £3,700.00",
        "VAT 20% on £3,700.00 £740.00",
        "Total including VAT £4,440.00",
        "No discount for early payment.",
        "12.15%",
        "€40",
        "Page 1 of 1",
    ):
        assert mention in text, mention


@pytest.mark.parametrize(
    ("currency", "language", "shown"),
    [
        ("USD", "en", "US$4,440.00"),
        ("USD", "fr", "4 440,00 $US"),
        ("JPY", "en", "JP¥4,440"),
        ("JPY", "fr", "4 440 JPY"),
        ("TND", "fr", "4 440,000 TND"),
        ("TND", "en", "TND 4,440.000"),
    ],
)
def test_amounts_have_the_decimals_and_the_sign_of_their_currency(currency, language, shown):
    assert shown in text_of(render(make_paper(currency=currency, language=language)))


def test_rates_discounts_and_a_deposit_are_each_shown():
    paper = make_paper(
        ("Conseil", "DAY", "4", "925.5", "20", "10"),
        ("Repas", "C62", "12", "18.5", "10"),
        ("Livre", "C62", "-3", "29.9", "5.5"),
        language="fr",
        discounts=[DiscountInput(percent=Decimal(5), label="Fidélité")],
        paid_minor=1000_00,
        paid_on=date(2026, 9, 12),
    )
    text = text_of(render(paper))
    for shown in (
        "−10 %",
        "3 331,80",
        "−3",
        "−89,70",
        "Fidélité (5 %) −173,21 €",
        "TVA 5,5 % sur −85,2",
        "TVA 10 % sur",
        "TVA 20 % sur",
        "Déjà réglé, 12 septembre 2026 −1 000,00 €",
        "Net à payer",
    ):
        assert shown in text, shown


def test_a_reverse_charge_says_why_there_is_no_vat():
    paper = make_paper(
        ("Conseil", "DAY", "1", "100", "0"),
        buyer=replace(BUYER, country="DE", siren="", vat_id="DE123456789"),
        exemptions=("Autoliquidation de la TVA par le preneur (article 283-2 du CGI).",),
    )
    text = text_of(render(paper))
    assert "Autoliquidation sur 100,00 € 0,00 €" in text
    assert "article 283-2 du CGI" in text
    assert "Total 100,00 €" in text
    assert "Total TTC" not in text
    assert "Allemagne" in text


def test_a_credit_note_names_its_invoice_and_asks_for_no_money():
    paper = make_paper(
        kind="credit_note",
        number="A-2026-0012",
        corrects_number="F-2026-0744",
        corrects_date=date(2026, 9, 25),
        payment_terms=mentions.set_against("fr", "F-2026-0744"),
    )
    text = text_of(render(paper))
    assert "Avoir A-2026-0012" in text
    assert "Rectifie la facture F-2026-0744 du 25 septembre 2026" in text
    assert "Total de l’avoir 4 440,00 €" in text
    assert "IBAN" not in text
    assert "Échéance" not in text


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (date(2026, 9, 1), date(2026, 9, 30), "Période : septembre 2026"),
        (date(2026, 9, 1), date(2026, 9, 29), "du 1er septembre 2026 au 29 septembre 2026"),
        (date(2026, 2, 1), date(2026, 2, 28), "Période : février 2026"),
        (None, date(2026, 9, 4), "Date de prestation ou de livraison : 4 septembre 2026"),
        (date(2026, 9, 4), date(2026, 9, 4), "Date de prestation ou de livraison : 4 septembre"),
    ],
)
def test_the_time_of_supply_is_said_as_short_as_it_can_be(start, end, shown):
    paper = make_paper(service_from=start, service_until=end, nature="")
    assert shown in text_of(render(paper))


def test_vat_in_another_currency_is_also_stated_in_euros():
    paper = make_paper(
        currency="USD",
        vat_minor_in_eur=684_21,
        buyer=replace(BUYER, reference="SRV-12"),
    )
    text = text_of(render(paper))
    assert "Montant de la TVA en euros : 684,21 €." in text
    assert "Votre référence SRV-12" in text


@pytest.mark.parametrize(
    ("code", "quantity", "language", "shown"),
    [
        ("DAY", "1.5", "fr", "1,5 jour"),
        ("DAY", "-2", "fr", "−2 jours"),
        ("HUR", "1", "en", "1 hour"),
        ("HUR", "0.5", "en", "0.5 hours"),
        ("palette", "3", "fr", "3 palette"),
    ],
)
def test_a_unit_is_a_word_in_the_right_number(code, quantity, language, shown):
    paper = make_paper(("x", code, quantity, "10", "20"), language=language)
    assert shown in text_of(render(paper))


def test_a_paid_invoice_says_so_and_shows_no_account():
    text = text_of(render(make_paper(paid_minor=4440_00)))
    assert "Facture acquittée." in text
    assert "IBAN" not in text


def test_a_draft_bears_a_mark_and_no_number():
    data = render(make_paper(*[PILOTING] * 30), draft=True)
    pages = PdfReader(BytesIO(data)).pages
    assert len(pages) > 1
    for page in pages:
        assert "BROUILLON" in page.extract_text()
    assert "F-2026-0744" not in text_of(data)
    assert "n’est pas une facture" in text_of(data)
    assert "DRAFT" in text_of(render(make_paper(language="en"), draft=True))


def test_every_page_of_a_long_invoice_has_the_head_the_number_and_its_place():
    items = [(f"Prestation n° {n}\nDétail", "DAY", "1", "10", "20") for n in range(500)]
    data = render(make_paper(*items))
    pages = PdfReader(BytesIO(data)).pages
    assert len(pages) > 20
    whole = text_of(data)
    for number, _page in enumerate(pages, start=1):
        text = text_of(data, number - 1)
        assert f"Page {number} sur {len(pages)}" in text
        assert "Désignation" in text
        assert "F-2026-0744" in text
    assert [n for n in range(500) if f"Prestation n° {n} " not in whole] == []
    # The totals are not alone: the last line goes with them.
    last = text_of(data, len(pages) - 1)
    assert "Prestation n° 499" in last
    assert "Total TTC" in last


@pytest.mark.parametrize("count", range(8, 18))
def test_totals_stay_whole_and_with_the_last_line_wherever_the_page_ends(count):
    items = [(f"Ligne {n}", "C62", "1", "10", "20") for n in range(count)]
    data = render(make_paper(*items))
    (page,) = [
        text_of(data, index)
        for index, _ in enumerate(PdfReader(BytesIO(data)).pages)
        if "Total TTC" in text_of(data, index)
    ]
    for part in (f"Ligne {count - 1}", "Total HT", "TVA 20 %"):
        assert part in page


def test_a_description_of_two_thousand_characters_loses_no_word():
    words = [f"mot{n:03}" for n in range(285)]
    data = render(make_paper((" ".join(words)[:2000], "C62", "1", "10", "20"), PILOTING))
    text = text_of(data)
    assert [word for word in words if word not in text] == []


def test_a_description_of_many_lines_is_cut_over_pages():
    lines = [f"détail{n:03}" for n in range(200)]
    data = render(make_paper(("\n".join(lines), "C62", "1", "10", "20")))
    assert len(PdfReader(BytesIO(data)).pages) > 2
    text = text_of(data)
    assert [line for line in lines if line not in text] == []


def rightmost_ink(data, folder):
    """In points from the left edge, over all pages; found by drawing them."""
    subprocess.run(
        ["pdftoppm", "-r", "72", "-gray", "-", str(folder / "page")], input=data, check=True
    )
    found = []
    for path in folder.glob("page*.pgm"):
        page = Image.open(path)
        box = ImageChops.invert(page).point(lambda ink: 255 if ink > 40 else 0).getbbox()
        found.append(box[2])
    return max(found)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler) draws the page")
def test_long_names_and_words_without_spaces_stay_on_the_page(tmp_path):
    paper = make_paper(
        ("Anticonstitutionnellement" * 40, "C62", "99999999.9999", "99", "20"),
        buyer=replace(BUYER, name="Communauté " + "x" * 239, address=("y" * 200,)),
        title="z" * 250,
    )
    data = render(paper)
    reader = PdfReader(BytesIO(data))
    assert 400 < rightmost_ink(data, tmp_path) <= 545
    joined = re.sub(r"\s", "", " ".join(page.extract_text() for page in reader.pages))
    assert "x" * 239 in joined
    assert "z" * 250 in joined
    assert joined.count("Anticonstitutionnellement") >= 38


def test_even_fifty_discounts_print():
    discounts = [DiscountInput(amount=Decimal("0.5"), label=f"Remise {n}") for n in range(50)]
    text = text_of(render(make_paper(discounts=discounts)))
    assert [n for n in range(50) if f"Remise {n} −0,50 €" not in text] == []
    assert "Total TTC 4 410,00 €" in text


# ─ The file


def test_the_same_paper_gives_the_same_bytes():
    paper = make_paper()
    first = render(paper, logo_png=logo())
    render(make_paper(language="en"))
    assert render(Paper.from_json(paper.to_json()), logo_png=logo()) == first


def test_only_embedded_fonts_are_in_the_file():
    data = render(make_paper(*[PILOTING] * 30, buyer=replace(BUYER, name="שלום · Ромашка")))
    with pikepdf.open(BytesIO(data)) as file:
        fonts = [
            each
            for each in file.objects
            if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/Font"
        ]
        assert {str(font.BaseFont).split("+")[1] for font in fonts} >= {
            "PortalSans-Regular",
            "PortalSans-SemiBold",
        }
        assert all("/FontFile2" in font.FontDescriptor for font in fonts)
    assert b"Helvetica" not in data


def test_the_file_says_that_it_is_pdf_a_3b_and_what_it_is():
    data = render(make_paper(buyer=replace(BUYER, name="A & B <c>")))
    with pikepdf.open(BytesIO(data)) as file:
        assert file.Root.Lang == "fr-FR"
        assert file.docinfo["/Title"] == "Facture F-2026-0744 – Kerlann Conseil"
        assert file.docinfo["/Author"] == "Kerlann Conseil"
        assert "D:20260925" in str(file.docinfo["/CreationDate"])
        with file.open_metadata() as metadata:
            assert metadata.pdfa_status == "3B"
            assert metadata["dc:title"] == "Facture F-2026-0744 – Kerlann Conseil"
        (intent,) = file.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.N == 3
        assert len(intent.DestOutputProfile.read_bytes()) > 400
        assert file.pdf_version >= "1.7"
        assert not file.is_encrypted


def test_the_finish_carries_an_attachment_for_the_e_invoice_to_come():
    raw = BytesIO()
    pikepdf.new().save(raw)
    facts = Facts(title="T", author="A", language="fr-FR", at=datetime(2026, 9, 25, tzinfo=UTC))
    attachment = Attachment(
        name="factur-x.xml",
        content=b"<x/>",
        mime_type="text/xml",
        relationship="Alternative",
        description="Factur-X",
    )
    data = finish(raw.getvalue(), facts, attachments=(attachment,))
    with pikepdf.open(BytesIO(data)) as file:
        assert file.attachments["factur-x.xml"].get_file().read_bytes() == b"<x/>"
        assert file.Root.AF[0].AFRelationship == "/Alternative"
    assert finish(raw.getvalue(), facts, attachments=(attachment,)) == data


def test_the_payment_code_is_one_of_the_european_payments_council():
    code = payment_code(make_paper())
    assert code is not None
    assert code.error == "M"
    wanted = {
        "currency": {"currency": "USD"},
        "paid": {"paid_minor": 4440_00},
        "credit": {"kind": "credit_note"},
        "no account": {"seller": replace(SELLER, iban="")},
        "bad account": {"seller": replace(SELLER, iban="?", bic="?")},
    }
    for fields in wanted.values():
        paper = make_paper(**fields)
        assert payment_code(paper) is None
        render(paper)


def test_two_threads_may_print_at_once():
    papers = [make_paper(number=f"F-{n}") for n in range(4)]
    printed = {}

    def work(index):
        printed[index] = render(papers[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f"Facture F-{n}" in text_of(printed[n]) for n in range(4)] == [True] * 4


# ─ The engine: what we rest on


def test_the_engine_has_nothing_to_say_about_our_document(monkeypatch):
    results = []
    create = pisa.CreatePDF

    def noted(*args, **options):
        results.append(create(*args, **options))
        return results[-1]

    monkeypatch.setattr(pdf.pisa, "CreatePDF", noted)
    render(make_paper(), logo_png=logo())
    render(make_paper(language="en"), draft=True)
    assert [(result.err, result.warn, result.log) for result in results] == [(0, 0, [])] * 2


def test_our_elements_are_found_by_the_engine_and_gone_afterwards():
    assert "3 700,00" in text_of(render(make_paper()))
    assert not [name for name in vars(parser) if name.startswith("pisaTagINVOICE")]


# ─ Hostile and odd input


ATTACKS = [
    "<b>fort</b> & <script>alert(1)</script>",
    "{{ settings.SECRET_KEY }} {% include 'x' %}",
    "<pdf:nextpage><pdf:pagecount>",
    '</div></td></table><img src="file:///etc/hostname">',
    "<invoicelines></invoicelines>",
    "<para><font color=red>x</font><img src='/etc/hostname'/></para>",
    "&lt;b&gt; &nbsp; &#60;",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_in_a_text_is_printed_as_it_was_typed(attack):
    everywhere = make_paper(
        (attack, attack, "1", "10", "20"),
        buyer=Buyer(name=attack, address=(attack,), contact=attack),
        seller=replace(SELLER, name=attack, address=(attack,)),
        title=attack,
        notes=attack,
        purchase_order=attack,
        number="F-1",
    )
    joined = re.sub(r"\s", "", text_of(render(everywhere)))
    assert joined.count(re.sub(r"\s", "", attack)) >= 7


def test_no_text_makes_the_engine_open_a_connection_or_a_file(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET")
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    address = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"
    attack = (
        f'<img src="{address}"><img src="{secret}"><link rel="stylesheet" href="{address}">'
        f"<style>@import url({address});</style>"
        f'"><img src={address}> url({address}) <pdf:insertpdf src="{secret}">'
    )
    data = render(
        make_paper(
            (attack, "C62", "1", "10", "20"),
            buyer=Buyer(name=attack, address=(attack,)),
            notes=attack,
            title=attack,
        ),
        logo_png=logo(),
    )
    assert "TOP-SECRET" not in text_of(data)
    with server, pytest.raises(TimeoutError):
        server.accept()


@pytest.mark.parametrize("source", ["http://127.0.0.1:9/x.png", "/etc/hostname", "../x.png"])
def test_even_markup_of_ours_could_not_fetch(source):
    """The second wall: were a text ever not escaped, the policy still refuses, and so do we."""
    with pytest.raises(PdfRefused):
        pdf.laid_out(f'<p>a<img src="{source}"></p>', {})


def test_a_failure_of_the_engine_is_a_refusal_with_a_sentence():
    with pytest.raises(PdfRefused, match=r"could not be made .ZeroDivisionError."):
        pdf.laid_out("<invoicelines></invoicelines>", {"lines": lambda: 1 // 0})
    deep = "<div>" * 200 + "x" + "</div>" * 200
    with pytest.raises(PdfRefused, match="too long to lay out"):
        pdf.laid_out(deep, {})


def test_a_font_that_is_not_embedded_is_a_refusal(monkeypatch):
    html = pdf.page.html_of
    ours, other = (f"body {{ font-family: {name}" for name in ("PortalSans", "Helvetica"))
    monkeypatch.setattr(pdf.page, "html_of", lambda *args: html(*args).replace(ours, other))
    with pytest.raises(PdfRefused, match="Helvetica"):
        render(make_paper())


def test_emoji_are_left_out_and_what_no_font_has_is_boxed_and_stated():
    paper = make_paper(("Atelier 🎉 été 👩‍💻!", "C62", "1", "10", "20"), title="ขอ Ромашка")
    text = text_of(render(paper))
    assert "Atelier été !" in text
    assert "□□ Ромашка" in text
    assert "Le signe □ remplace" in text
    assert unprintable(paper) == (
        Unprintable("lines.description", 1, ("🎉", "👩", "💻")),
        Unprintable("title", 0, ("ข", "อ")),
    )
    assert "□" not in text_of(render(make_paper()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x07c\u200bd", "abcd"),
        ("🎉🎉", "□"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("e\u0301", "é"),
        ("\ud800x", "□x"),
        ("tab\there", "tab here"),
        ("", ""),
    ],
)
def test_what_is_printable(text, shown):
    assert printable(text) == shown


def test_hebrew_and_arabic_descriptions_print():
    paper = make_paper(
        ("שלום עולם", "C62", "1", "10", "20"), ("مرحبا بالعالم " * 20, "C62", "1", "10", "20")
    )
    text = text_of(render(paper))
    assert "שלום" in text
    assert "עולם" in text
    assert "□" not in text


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "1"])
def test_a_logo_of_any_kind_becomes_plain_rgb(mode):
    with pikepdf.open(
        BytesIO(render(make_paper(), logo_png=logo(mode="L" if mode == "1" else mode)))
    ) as file:
        (image,) = [
            each
            for each in file.objects
            if isinstance(each, pikepdf.Stream) and each.get("/Subtype") == "/Image"
        ]
        assert image.ColorSpace == "/DeviceRGB"
        assert "/SMask" not in image


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"not a picture",
        b"<svg/>",
        logo()[:60],
        b"\x89PNG\r\n\x1a\n" + b"0" * 100,
        b"0" * 3_000_000,
    ],
)
def test_a_bad_logo_is_refused_with_a_sentence(bad):
    if not bad:
        render(make_paper(), logo_png=bad)  # no logo at all
        return
    with pytest.raises(PdfRefused, match="logo cannot be used"):
        render(make_paper(), logo_png=bad)


def test_what_is_too_much_is_refused_with_a_sentence():
    with pytest.raises(PdfRefused, match="at most 500 lines; this one has 501"):
        render(make_paper(*[PILOTING] * 501))
    with pytest.raises(PdfRefused, match=r"line 2 has more than 2,?000 characters"):
        render(make_paper(PILOTING, ("x" * 2001, "C62", "1", "1", "20")))
    with pytest.raises(PdfRefused, match="more than"):
        render(make_paper(notes="x" * 5000))
    with pytest.raises(PdfRefused, match="positive"):
        render(make_paper(("x", "C62", "-1", "1", "20"), kind="credit_note"))
