"""Payment terms as French and English people write them: read right, or not at all."""

from __future__ import annotations

import pytest

from integrations.crm.terms import read_language, read_terms

READ = {
    "30": ("net", 30),
    "30.0": ("net", 30),
    "0": ("net", 0),
    "30 jours": ("net", 30),
    "30j": ("net", 30),
    "30 Jrs": ("net", 30),
    "J+30": ("net", 30),
    "30 jours nets": ("net", 30),
    "à 30 jours": ("net", 30),
    "Paiement à 45 jours": ("net", 45),
    "30 jours date de facture": ("net", 30),
    "30 jours à compter de la date de facture": ("net", 30),
    "60 jours à partir de la date d'émission de la facture": ("net", 60),
    "sous 15 jours": ("net", 15),
    "dans les 30 jours suivant la date de facture": ("net", 30),
    "trente jours": ("net", 30),
    "quarante-cinq jours": ("net", 45),
    "2 semaines": ("net", 14),
    # The contract term that was read as "today".
    "30 jours à réception de facture": ("net", 30),
    "30 jours à réception de la facture": ("net", 30),
    "30 jours à compter de la réception de la facture": ("net", 30),
    "30 days after receipt of invoice": ("net", 30),
    "30 days from receipt": ("net", 30),
    "À réception": ("net", 0),
    "à réception de facture": ("net", 0),
    "Dès réception de votre facture": ("net", 0),
    "Paiement à réception de la facture.": ("net", 0),
    "Comptant": ("net", 0),
    "au comptant": ("net", 0),
    "Règlement comptant à réception de facture": ("net", 0),
    "Immédiat": ("net", 0),
    "paiement immédiat": ("net", 0),
    "45 jours fin de mois": ("eom_after", 45),
    "45 j. fin de mois": ("eom_after", 45),
    "45 jours FDM": ("eom_after", 45),
    "45 jours, fin de mois": ("eom_after", 45),
    "30 jours + fin de mois": ("eom_after", 30),
    "30 jours fin du mois": ("eom_after", 30),
    "45 jours fin de mois à compter de la date de facture": ("eom_after", 45),
    "fin de mois": ("eom_after", 0),
    "Fin de mois 45 jours": ("eom_before", 45),
    "fin de mois + 30": ("eom_before", 30),
    "fin de mois + 30 jours": ("eom_before", 30),
    "30 jours à compter de la fin du mois": ("eom_before", 30),
    "30 jours après fin de mois": ("eom_before", 30),
    "net 30": ("net", 30),
    "Net30": ("net", 30),
    "N/30": ("net", 30),
    "Net 30 days": ("net", 30),
    "30 days net": ("net", 30),
    "thirty days": ("net", 30),
    "Payment within 30 days": ("net", 30),
    "within 30 days of the invoice date": ("net", 30),
    "30 days from invoice date": ("net", 30),
    "Due on receipt": ("net", 0),
    "Due upon receipt of invoice": ("net", 0),
    "Immediate payment": ("net", 0),
    "60 days EOM": ("eom_after", 60),
    "net 60 EOM": ("eom_after", 60),
    "45 days end of month": ("eom_after", 45),
    "EOM + 30": ("eom_before", 30),
    "End of month, then 45 days": ("eom_before", 45),
    "30 jours puis fin de mois": ("eom_after", 30),
    "30 days after end of month": ("eom_before", 30),
    "30 days from EOM": ("eom_before", 30),
    "net:30": ("net", 30),
    "eom_before:15": ("eom_before", 15),
}
TRAPS = [
    "",
    "–",
    "30 jours fin de mois le 10",
    "fin de mois le 15",
    "le 10 du mois suivant",
    "le 15",
    "30 jours fin de mois suivant",
    "fin du mois prochain",
    "end of next month",
    "15th of the following month",
    "30 jours ouvrés",
    "30 business days",
    "30 jours après livraison",
    "à réception de marchandise",
    "à la commande",
    "50 % à la commande, solde à 30 jours",
    "30/60/90",
    "30-45 jours",
    "30 ou 45 jours",
    "2/10 net 30",
    "2% 10 days, net 30",
    "30 jours comptant",
    "1 mois",
    "-30 jours",
    "400 jours",
    "30.5 jours",
    "3000",
    "pas de délai",
    "selon contrat",
    "see contract",
    "30 jours escompte 2 sous 10 jours",
    "CB à la réception du colis",
    "30 giorni",
    "Net",
]


@pytest.mark.parametrize(("text", "terms"), READ.items())
def test_a_term_is_read_as_its_writer_meant_it(text, terms):
    assert read_terms(text) == terms


@pytest.mark.parametrize("text", TRAPS)
def test_a_term_with_more_in_it_than_we_know_is_not_read_at_all(text):
    assert read_terms(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Français", "fr"),
        ("fr-BE", "fr"),
        ("French", "fr"),
        ("FR", "fr"),
        ("English (UK)", "en"),
        ("en_US", "en"),
        ("Anglais", "en"),
        ("Frison", None),
        ("Anglais ou français", None),
        ("FR/EN", None),
        ("Englisch", None),
        ("Allemand", None),
        ("", None),
    ],
)
def test_a_language_is_read_only_when_it_is_one_of_ours_and_the_only_one(text, language):
    assert read_language(text) == language
