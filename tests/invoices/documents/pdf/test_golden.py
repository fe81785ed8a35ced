"""What pages look like: drawn, and held against pictures that somebody looked at.

`make golden` draws the pictures anew; look at what changed before you keep them.
"""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops

from invoices.documents import mentions
from invoices.documents.look import Look
from invoices.documents.pdf.render import render
from tests.invoices.documents.pdf.papers import BUYER, logo, make_paper

pytestmark = pytest.mark.prints

KEPT = Path(__file__).parent / "golden"
WIDTH = 420  # pixels of a page: its words are still seen, its file is small
# Antialiasing differs between versions of the one who draws; a moved line differs more.
MOST_DIFFERENT = 0.004
DIFFERENT_BY = 70


def lines(count):
    return [(f"Prestation n° {n}", "DAY", "1", "100", "20") for n in range(1, count + 1)]


def in_both():
    other = "en"
    return make_paper(
        *lines(3),
        second_language=other,
        second_terms=mentions.due_by(other, date(2026, 10, 25)),
        second_claims=(mentions.early_payment(other), mentions.recovery_indemnity(other)),
        delivery_address=("Site de Crozon", "29160 Crozon"),
    )


def far_away():
    return make_paper(
        ("株式会社のための開発", "DAY", "2", "100", "20"),
        ("فاتورة الخدمات الشهرية", "DAY", "1", "50", "10"),
        ("소프트웨어 개발", "DAY", "1", "50", "5.5"),
        buyer=replace(
            BUYER,
            name="株式会社 東京サービス",
            address=("東京都千代田区",),
            country="JP",
            siren="",
            vat_id="",
        ),
        look=Look(layout="modern", colour="#f5c518"),
    )


def credit_note():
    return make_paper(
        ("Prestation reprise", "DAY", "1", "100", "20"),
        ("Livre", "C62", "1", "30", "5.5"),
        kind="credit_note",
        number="A-2026-0012",
        corrects_number="F-2026-0744",
        corrects_date=date(2026, 9, 25),
        payment_terms=mentions.set_against("fr", "F-2026-0744"),
        early_payment="",
        late_penalty="",
        recovery_indemnity="",
    )


def quote():
    return make_paper(
        *lines(4),
        kind="quote",
        number="D-2026-0007",
        valid_until=date(2026, 10, 25),
        due_date=None,
        early_payment="",
        late_penalty="",
        recovery_indemnity="",
        payment_terms="30 % à la commande.",
    )


# Name: the paper, what render is told, and the pages that are held against their picture.
DOCUMENTS = {
    "one": (make_paper, {"logo_png": logo()}, [0]),
    "seventeen": (lambda: make_paper(*lines(17), title="Développement"), {}, [0]),
    "sixty": (lambda: make_paper(*lines(60)), {}, [0, -1]),
    "three-hundred": (lambda: make_paper(*lines(300)), {}, [4, -1]),
    "credit-note": (credit_note, {}, [0]),
    "both-languages": (in_both, {}, [0]),
    "east-asian-and-arabic": (far_away, {}, [0]),
    "compact": (
        lambda: make_paper(*lines(20), look=Look(layout="compact", colour="#c2410c")),
        {"logo_png": logo((300, 300))},
        [0],
    ),
    "modern-draft": (
        lambda: make_paper(*lines(30), look=Look(layout="modern", colour="#0b6e4f")),
        {"draft": True},
        [0, -1],
    ),
    "quote": (quote, {}, [0]),
}


def drawn(content, pages):
    document = pypdfium2.PdfDocument(content)
    for number in pages:
        page = document[number % len(document)]
        yield page.render(scale=WIDTH / page.get_width(), grayscale=True).to_pil().convert("L")
    document.close()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_looks_as_it_did(name):
    paper, told, pages = DOCUMENTS[name]
    for place, now in enumerate(drawn(render(paper(), **told), pages), 1):
        path = KEPT / f"{name}-{place}.png"
        if os.environ.get("GOLDEN") == "renew":
            now.quantize(16).save(path, "PNG", optimize=True)
            continue
        # The picture that is kept has sixteen greys.
        kept, now = Image.open(path).convert("L"), now.quantize(16).convert("L")
        assert now.size == kept.size
        differs = ImageChops.difference(kept, now).point(lambda by: 255 if by > DIFFERENT_BY else 0)
        share = differs.histogram()[255] / (now.width * now.height)
        assert share <= MOST_DIFFERENT, f"{share:.2%} of {path.name} differs: see `make golden`"


def test_a_moved_line_would_be_seen():
    """The tolerance lets no change through that a reader would notice."""
    before, after = (
        next(drawn(render(make_paper(*lines(17), title=title)), [0])) for title in ("", "Objet")
    )
    differs = ImageChops.difference(before, after).point(lambda by: 255 if by > DIFFERENT_BY else 0)
    assert differs.histogram()[255] / (before.width * before.height) > 3 * MOST_DIFFERENT
