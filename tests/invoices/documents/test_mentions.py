"""The sentences that the law asks for, in the language of the document."""

from datetime import date
from decimal import Decimal

from invoices.documents import mentions


def test_terms_of_early_payment_are_stated_even_when_there_are_none():
    assert mentions.early_payment("fr") == "Pas d’escompte pour paiement anticipé."
    assert mentions.early_payment("en") == "No discount for early payment."
    stated = mentions.early_payment("fr", rate=Decimal("1.5"), days=8)
    assert stated == "Escompte de 1,5\u202f% pour tout paiement sous 8 jours."


def test_the_late_rate_says_where_it_comes_from_only_when_it_does():
    ecb = mentions.late_penalty("fr", rate=Decimal("12.150"), over_the_ecb=10)
    assert "12,15\u202f%" in ecb
    assert "BCE majoré de 10 points" in ecb
    own = mentions.late_penalty("en", rate=Decimal("9"))
    assert "9% a year" in own
    assert "ECB" not in own


def test_the_indemnity_is_forty_euros_unless_the_contract_says_more():
    assert mentions.recovery_indemnity("fr").endswith("40\u00a0€.")
    assert "€52.5 " in mentions.recovery_indemnity("en", cents=5250)


def test_the_first_of_a_month_is_an_ordinal_in_french():
    assert mentions.due_by("fr", date(2026, 11, 1)) == (
        "À régler au plus tard le 1er novembre 2026."
    )
    assert (
        mentions.due_by("en", date(2026, 11, 1)) == "To be paid by 1 November 2026 at the latest."
    )
