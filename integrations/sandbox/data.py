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


class Town(NamedTuple):
    name: str
    postal_code: str
    region: str


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

THEMES_FR: Final = (
    "Refonte du portail clients",
    "Migration vers le cloud",
    "Audit de sécurité",
    "Application mobile de terrain",
    "Tableaux de bord de pilotage",
    "Assistance à maîtrise d'ouvrage ERP",
    "Tierce maintenance applicative",
    "Mise en conformité RGPD",
    "Schéma directeur du SI",
    "Intégration de la facturation électronique",
    "Formation des équipes métier",
    "Accessibilité du site web",
    "Entrepôt de données",
    "Automatisation des tests",
    "Refonte de l'intranet",
    "Reprise des données historiques",
    "Cadrage du projet CRM",
    "Gestion électronique des documents",
    "Plan de reprise d'activité",
    "Supervision et astreinte",
)

THEMES_EN: Final = (
    "Customer portal redesign",
    "Cloud migration",
    "Security audit",
    "Data warehouse",
    "Field service mobile app",
    "Application support",
    "E-invoicing integration",
    "Reporting dashboards",
    "Discovery workshop",
    "API integration",
)

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

_FIRST_NAMES: Final = """
Adèle Alice Amandine Anne-Sophie Antoine Arthur Aurélie Bastien Bénédicte Benoît Brieuc Camille
Cécile Céline Clément Corentin Damien Delphine Élodie Émilie Enora Erwan Étienne Fabien Fanny
Fatima Florence François Gaël Gaëtan Gwenaëlle Hélène Hugo Isabelle Jérôme Jean-Baptiste Joëlle
Julien Karim Laëtitia Léa Loïc Louise Malo Manon Marc Marine Mathilde Maxime Mehdi Nadia Nicolas
Nolwenn Olivier Pascale Paul Philippe Quentin Rachid Raphaëlle Rémi Ronan Rozenn Salomé Samuel
Sandrine Soizic Stéphane Sylvain Tanguy Thibault Titouan Valérie Victor Virginie Xavier Yannick
Zoé
"""
FIRST_NAMES: Final = tuple(_FIRST_NAMES.split())

LAST_NAMES: Final = (
    "Le Bihan",
    "Guillou",
    "Kervella",
    "Le Roux",
    "Cadiou",
    "Morvan",
    "Hervé",
    "Lemoine",
    "Rousseau",
    "Girard",
    "Bonnet",
    "Mercier",
    "Blanchard",
    "Chevalier",
    "Gauthier",
    "Perrin",
    "Marchand",
    "Dufour",
    "Meunier",
    "Barbier",
    "Brun",
    "Caillé",
    "Péneau",
    "Durand-Viel",
    "Lefèvre",
    "Leclerc",
    "Colin",
    "Vidal",
    "Aubert",
    "Roy",
    "Renard",
    "Gaillard",
    "Picard",
    "Riffaud",
    "Benoist",
    "Charrier",
    "Baudry",
    "Praud",
    "Bureau",
    "Guérin",
    "de La Villemarqué",
    "N'Diaye",
    "Haddad",
    "Nguyen",
    "Da Silva",
    "O'Brien",
    "Quéméner",
    "Le Floc'h",
    "Tréguier",
    "Jaouen",
)

TOWNS: Final = (
    Town("Nantes", "44000", "Pays de la Loire"),
    Town("Nantes", "44200", "Pays de la Loire"),
    Town("Saint-Herblain", "44800", "Pays de la Loire"),
    Town("Rezé", "44400", "Pays de la Loire"),
    Town("Saint-Nazaire", "44600", "Pays de la Loire"),
    Town("Angers", "49000", "Pays de la Loire"),
    Town("Cholet", "49300", "Pays de la Loire"),
    Town("Le Mans", "72000", "Pays de la Loire"),
    Town("Laval", "53000", "Pays de la Loire"),
    Town("La Roche-sur-Yon", "85000", "Pays de la Loire"),
    Town("Rennes", "35000", "Bretagne"),
    Town("Saint-Malo", "35400", "Bretagne"),
    Town("Vannes", "56000", "Bretagne"),
    Town("Lorient", "56100", "Bretagne"),
    Town("Quimper", "29000", "Bretagne"),
    Town("Brest", "29200", "Bretagne"),
    Town("Morlaix", "29600", "Bretagne"),
    Town("Saint-Brieuc", "22000", "Bretagne"),
    Town("Lannion", "22300", "Bretagne"),
    Town("Tours", "37000", "Centre-Val de Loire"),
    Town("Orléans", "45000", "Centre-Val de Loire"),
    Town("Niort", "79000", "Nouvelle-Aquitaine"),
    Town("La Rochelle", "17000", "Nouvelle-Aquitaine"),
    Town("Bordeaux", "33000", "Nouvelle-Aquitaine"),
    Town("Caen", "14000", "Normandie"),
    Town("Lille", "59000", "Hauts-de-France"),
    Town("Lyon", "69003", "Auvergne-Rhône-Alpes"),
    Town("Paris", "75009", "Île-de-France"),
    Town("Paris", "75012", "Île-de-France"),
    Town("Issy-les-Moulineaux", "92130", "Île-de-France"),
)

STREETS: Final = (
    "rue de la Fosse",
    "quai de la Jonelière",
    "boulevard des Frères de Goncourt",
    "rue des Trois Moulins",
    "avenue de la Libération",
    "place du Marché",
    "rue Jules Verne",
    "allée des Tanneurs",
    "chemin du Vieux Port",
    "rue de l'Industrie",
    "boulevard Gabriel Lauriol",
    "rue Anne de Bretagne",
    "impasse du Petit Bois",
    "rue Marie Curie",
    "avenue des Genêts",
    "route de Vannes",
)

# name of the organisation, by client type: (first parts, second parts, endings)
NAMES: Final = {
    "Large account": (
        ("Groupe", "Compagnie", "Établissements", "Réseau"),
        (
            "Armorial",
            "Novalys",
            "Estuaire Énergies",
            "Océvane Transport",
            "Valcourt",
            "Ligéris Assurances",
            "Hermine Distribution",
            "Sillon Agroalimentaire",
            "Atlantec",
            "Cap Loire",
            "Briévane",
            "Terravel",
        ),
        ("", "", " SA", " France"),
    ),
    "SME": (
        (
            "Menuiserie",
            "Transports",
            "Imprimerie",
            "Biscuiterie",
            "Cabinet",
            "Ateliers",
            "Électricité",
            "Conserverie",
            "Chantiers",
            "Brasserie",
            "Pépinières",
            "Mécanique",
            "Charpentes",
            "Laboratoires",
            "Cartonnages",
            "Voilerie",
        ),
        (
            "Le Bihan",
            "Guillou",
            "Kervella",
            "Péneau",
            "Charrier",
            "Baudry",
            "Praud",
            "Jaouen",
            "Cadiou",
            "Riffaud",
            "du Sillon",
            "de l'Erdre",
            "des Abers",
            "de la Vilaine",
            "de Brière",
            "du Ponant",
            "Morvan et Fils",
            "Quéméner",
            "Tréguier",
            "Gauthier Frères",
        ),
        (" SARL", " SAS", "", " SAS", " SARL"),
    ),
    "Start-up": (
        (
            "Nimbéo",
            "Kelvia",
            "Fluxia",
            "Ozéna",
            "Brumea",
            "Hopla",
            "Datalou",
            "Zéphia",
            "Marégo",
            "Pixéal",
            "Veloria",
            "Tidalo",
            "Algoé",
            "Loopéo",
            "Sardine",
            "Wattéo",
            "Granit",
            "Embrun",
            "Kouign",
            "Nautéa",
        ),
        ("Labs", "Tech", "Studio", "IA", "Santé", "Mobilité", "Énergie", "Food"),
        ("", " SAS", " SAS"),
    ),
    "Public sector": (
        (
            "Ville de",
            "Mairie de",
            "Communauté de communes de",
            "Centre hospitalier de",
            "Office public de l'habitat de",
            "Syndicat des eaux de",
            "Lycée agricole de",
            "Agence d'urbanisme de",
        ),
        (
            "Kervélan",
            "Saint-Armel-le-Vieux",
            "Plougastrel",
            "Montbriand-sur-Loire",
            "La Chapelle-Noire",
            "Tréméoc-Plage",
            "Beaulieu-en-Retz",
            "Roc-Trévezan",
            "Vieillecour",
            "Port-Lannec",
        ),
        ("",),
    ),
    "Non-profit": (
        ("Association", "Fondation", "Fédération", "Collectif", "Maison"),
        (
            "Mer et Littoral",
            "Les Petits Explorateurs du Ponant",
            "Habitat Partagé",
            "Solidarité Estuaire",
            "Culture en Brière",
            "des Aidants de l'Ouest",
            "Sport pour Tous 44",
            "Jardins Familiaux",
            "Emploi et Handicap",
            "Mémoire des Chantiers",
        ),
        ("",),
    ),
    "International": (
        (
            "Northgate",
            "Blackwater",
            "Rheintal",
            "Harbour & Finch",
            "Cedar Ridge",
            "Vandermeulen",
            "Silverlake",
            "Ostsee",
            "Moorland",
            "Kingsbridge",
            "Redwood",
            "Ardennia",
        ),
        ("Logistics", "Systems", "Consulting", "Software", "Marine", "Energy"),
        ("",),
    ),
}


class Country(NamedTuple):
    code: str
    name: str
    currency: str
    language: str
    legal_form: str
    town: str
    postal_code: str
    region: str
    street: str


COUNTRIES: Final = (
    Country(
        "GB",
        "United Kingdom",
        "GBP",
        "English",
        "Ltd",
        "Bristol",
        "BS1 4ZZ",
        "England",
        "Redcliff Wharf",
    ),
    Country(
        "US",
        "United States",
        "USD",
        "English",
        "Inc.",
        "Portland",
        "97205",
        "Oregon",
        "SW Alder Street",
    ),
    Country(
        "GB", "United Kingdom", "GBP", "English", "plc", "Leeds", "LS1 9ZZ", "England", "Canal Lane"
    ),
    Country(
        "DE", "Germany", "EUR", "English", "GmbH", "Hamburg", "20459", "Hamburg", "Speicherweg"
    ),
    Country(
        "BE", "Belgium", "EUR", "French", "SRL", "Namur", "5000", "Wallonie", "rue des Tilleuls"
    ),
    Country(
        "US",
        "United States",
        "USD",
        "English",
        "LLC",
        "Boston",
        "02110",
        "Massachusetts",
        "Harbor Street",
    ),
    Country(
        "LU",
        "Luxembourg",
        "EUR",
        "French",
        "SA",
        "Luxembourg",
        "2180",
        "Luxembourg",
        "rue du Grünewald",
    ),
)
