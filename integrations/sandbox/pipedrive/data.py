"""The words the stand-in's world is made of. Every company, person and place is invented.

Telephone numbers are from the blocks that the French regulator keeps for fiction, mail addresses
and hosts end in `.example`, and SIREN numbers come from ranges that are not handed out.
"""

from typing import Final, NamedTuple


class Product(NamedTuple):
    code: str
    name: str
    unit: str
    price: str
    tax: str
    frequency: str = "one-time"


COMPANY: Final = "Kerlann Conseil"

CLIENT_TYPES: Final = (
    "Large account",
    "SME",
    "Start-up",
    "Public sector",
    "Non-profit",
    "International",
)

# label, days, whether the month in which they end is then completed
PAYMENT_TERMS: Final = (
    ("On receipt", 0, False),
    ("30 days", 30, False),
    ("45 days", 45, False),
    ("60 days", 60, False),
    ("30 days end of month", 30, True),
    ("45 days end of month", 45, True),
)

USERS: Final = (
    ("Maëlle Kerlann", "maelle.kerlann"),
    ("Yann Le Goff", "yann.legoff"),
    ("Camille Riou", "camille.riou"),
    ("Thomas Guéguen", "thomas.gueguen"),
    ("Inès Benali", "ines.benali"),
    ("Sophie Moreau", "sophie.moreau"),
)

PIPELINES: Final = (
    (
        "Projets",
        (
            ("Qualification", 10),
            ("Découverte", 25),
            ("Proposition envoyée", 45),
            ("Négociation", 65),
            ("Accord verbal", 85),
            ("Bon de commande reçu", 95),
        ),
    ),
    (
        "Contrats et support",
        (
            ("Demande", 15),
            ("Devis envoyé", 40),
            ("Relance", 50),
            ("Négociation", 70),
            ("Contrat signé", 95),
        ),
    ),
)

PRODUCTS: Final = (
    Product("CONS-SR", "Conseil SI, consultant senior", "jour", "1150", "20"),
    Product("CONS-CF", "Conseil SI, consultant confirmé", "jour", "890", "20"),
    Product("CONS-DIR", "Direction de mission", "jour", "1480", "20"),
    Product("ARCHI", "Architecture logicielle", "jour", "1180", "20"),
    Product("DEV-FS", "Développement full-stack", "jour", "720", "20"),
    Product("DEV-MOB", "Développement mobile", "jour", "760", "20"),
    Product("DATA-ENG", "Ingénierie de données", "jour", "930", "20"),
    Product("DATA-BI", "Tableaux de bord et décisionnel", "jour", "840", "20"),
    Product("UX", "Conception UX/UI", "jour", "780", "20"),
    Product("AMOA", "Assistance à maîtrise d'ouvrage", "jour", "860", "20"),
    Product("TEST", "Recette et tests automatisés", "jour", "610", "20"),
    Product("DEVOPS", "DevOps et mise en production", "jour", "950", "20"),
    Product("AUDIT-SEC", "Audit de sécurité", "forfait", "6800", "20"),
    Product("AUDIT-RGPD", "Audit de conformité RGPD", "forfait", "4900", "20"),
    Product("AUDIT-ACC", "Audit d'accessibilité", "forfait", "3600", "20"),
    Product("MIGRATION", "Migration vers le cloud", "forfait", "12500", "20"),
    Product("FORM-INTER", "Formation, par participant", "pers.", "540", "20"),
    Product("FORM-INTRA", "Formation sur site", "jour", "1650", "20"),
    Product("SUPPORT-S", "Support standard", "mois", "390", "20", "monthly"),
    Product("SUPPORT-P", "Support étendu 7 j/7", "mois", "1290", "20", "monthly"),
    Product("HEBERG", "Hébergement infogéré", "mois", "260", "20", "monthly"),
    Product(
        "LIC-PORTAIL", "Licence portail client, par utilisateur", "util.", "96", "20", "annually"
    ),
    Product("DEPL", "Frais de déplacement et d'hébergement", "forfait", "340", "10"),
    Product("MANUEL", "Manuel d'utilisation imprimé", "ex.", "24.50", "5.5"),
    Product("DEBOURS", "Débours, avancés pour le compte du client", "forfait", "180", "0"),
)

LINE_COMMENTS: Final = (
    "",
    "",
    "",
    "",
    "Sur site, à Nantes.",
    "À distance.",
    "Livrables : rapport et restitution orale.",
    "Jours planifiés d'un commun accord.",
    "Selon proposition acceptée.",
)


class Theme(NamedTuple):
    title: str
    codes: str
    """The products that such a job is made of, the main one first."""


THEMES_FR: Final = (
    Theme("Refonte du portail clients", "DEV-FS UX ARCHI TEST DEVOPS"),
    Theme("Migration vers le cloud", "MIGRATION DEVOPS ARCHI CONS-SR"),
    Theme("Audit de sécurité", "AUDIT-SEC CONS-SR DEVOPS"),
    Theme("Application mobile de terrain", "DEV-MOB UX TEST ARCHI"),
    Theme("Tableaux de bord de pilotage", "DATA-BI DATA-ENG CONS-CF"),
    Theme("Assistance à maîtrise d'ouvrage ERP", "AMOA CONS-CF CONS-DIR"),
    Theme("Tierce maintenance applicative", "DEV-FS TEST DEVOPS CONS-CF"),
    Theme("Mise en conformité RGPD", "AUDIT-RGPD CONS-CF CONS-SR"),
    Theme("Schéma directeur du SI", "CONS-DIR CONS-SR CONS-CF"),
    Theme("Intégration de la facturation électronique", "CONS-SR DEV-FS TEST AMOA"),
    Theme("Formation des équipes métier", "FORM-INTRA FORM-INTER"),
    Theme("Accessibilité du site web", "AUDIT-ACC UX DEV-FS"),
    Theme("Entrepôt de données", "DATA-ENG DATA-BI ARCHI DEVOPS"),
    Theme("Automatisation des tests", "TEST DEVOPS CONS-CF"),
    Theme("Refonte de l'intranet", "DEV-FS UX AMOA TEST"),
    Theme("Reprise des données historiques", "DATA-ENG CONS-CF TEST"),
    Theme("Cadrage du projet CRM", "CONS-SR AMOA CONS-DIR"),
    Theme("Gestion électronique des documents", "CONS-CF DEV-FS AMOA TEST"),
    Theme("Plan de reprise d'activité", "DEVOPS ARCHI CONS-SR"),
    Theme("Supervision et astreinte", "DEVOPS CONS-CF ARCHI"),
)

THEMES_EN: Final = (
    Theme("Customer portal redesign", "DEV-FS UX ARCHI TEST"),
    Theme("Cloud migration", "MIGRATION DEVOPS ARCHI"),
    Theme("Security audit", "AUDIT-SEC CONS-SR"),
    Theme("Data warehouse", "DATA-ENG DATA-BI ARCHI"),
    Theme("Field service mobile app", "DEV-MOB UX TEST"),
    Theme("Application support", "DEV-FS TEST DEVOPS"),
    Theme("E-invoicing integration", "CONS-SR DEV-FS TEST"),
    Theme("Reporting dashboards", "DATA-BI DATA-ENG CONS-CF"),
    Theme("Discovery workshop", "CONS-SR CONS-DIR UX"),
    Theme("API integration", "DEV-FS ARCHI CONS-CF"),
)

# What may be billed beside the work, and what a running contract is made of.
EXPENSES: Final = "DEPL MANUEL DEBOURS"
_RUNNING: Final = "SUPPORT-S HEBERG SUPPORT-P LIC-PORTAIL"
RUNNING_FR: Final = Theme("Contrat de support et d'hébergement", _RUNNING)
RUNNING_EN: Final = Theme("Support and hosting contract", _RUNNING)

SUFFIXES: Final = (
    "",
    "",
    "",
    ", phase 1",
    ", phase 2",
    ", lot 1",
    ", lot 2",
    " (avenant)",
    ", complément",
)

LOST_REASONS: Final = (
    "Budget reporté",
    "Concurrent moins cher",
    "Projet abandonné",
    "Sans réponse",
    "Réalisé en interne",
)
