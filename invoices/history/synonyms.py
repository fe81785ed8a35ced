"""How other tools name the columns of a history, in English and French, and what they mean here."""

from __future__ import annotations

_NUMBER = ("invoice number", "invoice no", "invoice no.", "invoice_number", "invoice #", "no",
           "numéro", "numero", "n°", "n° facture", "n° de facture", "numéro de facture",
           "pièce", "piece", "pieceref", "no facture", "numéro facture")  # fmt: skip
_CLIENT = ("customer", "customer name", "client name", "customer_name", "contact", "contact name",
           "tiers", "nom du client", "nom client", "nom du tiers", "raison sociale", "compte tiers",
           "complib", "société", "societe")  # fmt: skip
_DAY = ("date", "issue date", "issue_date", "invoice date", "invoice_date", "date de facture",
        "date facture", "date d’émission", "date d'émission", "date emission", "date de pièce",
        "piecedate", "émise le")  # fmt: skip
_CURRENCY = ("devise", "currency code", "currency_code", "monnaie", "idevise")
_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "clients": {
        "name": (*_CLIENT, "nom", "client", "company", "company name"),
        "client_type": ("type", "client type", "customer type", "type de client", "catégorie"),
        "country": ("pays", "country code"),
        "currency": _CURRENCY,
        "language": ("langue",),
        "payment_terms_days": ("payment terms", "terms", "délai", "délai de paiement",
                               "conditions de paiement", "échéance en jours"),
        "billing_email": ("email", "e-mail", "mail", "courriel", "adresse e-mail"),
        "vat_id": ("vat number", "vat no", "n° tva", "numéro de tva",
                   "tva intracommunautaire"),
        "siren": ("n° siren", "numéro siren"),
        "owner_email": ("owner", "account owner", "commercial", "e-mail du commercial"),
    },
    "invoices": {
        "number": _NUMBER,
        "kind": ("type", "nature", "document type", "type de pièce", "type de document"),
        "client": _CLIENT,
        "issued_on": _DAY,
        "due_on": ("due date", "due_date", "échéance", "echeance", "date d’échéance",
                   "date d'échéance", "date échéance", "échéance le"),
        "currency": _CURRENCY,
        "net": ("ht", "total ht", "montant ht", "net amount", "subtotal", "sub total", "sub_total",
                "amount before vat", "montant net"),
        "vat": ("tva", "montant tva", "total tva", "tax", "tax amount", "vat amount"),
        "total": ("ttc", "total ttc", "montant ttc", "amount", "gross", "total amount",
                  "invoice total", "montant"),
        "corrects": ("corrected invoice", "original invoice", "facture corrigée",
                     "facture d’origine", "facture d'origine"),
        "title": ("subject", "description", "objet", "libellé", "libelle", "intitulé"),
        "instalments": ("installments", "due list", "payment schedule", "échéances", "echeances",
                        "échéancier", "echeancier"),
    },
    "items": {
        "code": ("sku", "ref", "reference", "référence", "product code", "code article", "article"),
        "name": ("nom", "product name", "libellé", "désignation", "designation", "title"),
        "description": ("détail", "details"),
        "unit": ("unité", "unite"),
        "nature": ("type", "kind"),
        "vat": ("tva", "tax", "taux tva", "vat rate"),
        "exemption": ("exonération", "motif d’exonération", "exemption reason"),
        "currency": _CURRENCY,
        "price": ("prix", "prix ht", "pu ht", "prix unitaire", "unit price", "price before vat"),
        "state": ("état", "etat", "status", "statut"),
    },
    "payments": {
        "invoice": (*_NUMBER, "facture"),
        "received_on": ("date", "payment date", "payment_date", "paid on", "date de paiement",
                        "date de règlement", "date du règlement", "date de valeur", "value date",
                        "date d’encaissement", "date d'encaissement", "réglé le"),
        "amount": ("montant", "payment amount", "amount paid", "montant réglé", "règlement",
                   "montant du règlement", "paid"),
        "instalment": ("installment", "échéance n°", "n° échéance", "n° d’échéance"),
        "currency": _CURRENCY,
        "reference": ("ref", "référence", "libellé", "label", "payment reference"),
        "method": ("payment method", "mode", "mode de paiement", "mode de règlement", "moyen"),
    },
}  # fmt: skip
# For each file, another tool's word (in lower case) → our column.
SYNONYMS: dict[str, dict[str, str]] = {
    kind: {word: column for column, words in columns.items() for word in words}
    for kind, columns in _COLUMNS.items()
}
