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

PUBLIC_PLACES: Final = (
    Town("Kervélan", "29990", "Bretagne"),
    Town("Saint-Armel-le-Vieux", "35990", "Bretagne"),
    Town("Plougastrel", "29991", "Bretagne"),
    Town("Montbriand-sur-Loire", "49990", "Pays de la Loire"),
    Town("La Chapelle-Noire", "44990", "Pays de la Loire"),
    Town("Tréméoc-Plage", "29992", "Bretagne"),
    Town("Beaulieu-en-Retz", "44991", "Pays de la Loire"),
    Town("Roc-Trévezan", "29993", "Bretagne"),
    Town("Vieillecour", "49991", "Pays de la Loire"),
    Town("Port-Lannec", "56990", "Bretagne"),
    Town("Saint-Guénaël-des-Bois", "56991", "Bretagne"),
    Town("Champeau-sur-Layon", "49992", "Pays de la Loire"),
    Town("Pont-Kermeur", "22990", "Bretagne"),
    Town("Moutiers-Blancs", "85990", "Pays de la Loire"),
    Town("Grandlande", "44992", "Pays de la Loire"),
    Town("Locmélar-la-Forêt", "22991", "Bretagne"),
    Town("Sainte-Radegonde-du-Marais", "85991", "Pays de la Loire"),
    Town("Brévault", "72990", "Pays de la Loire"),
    Town("Trégonnec", "22992", "Bretagne"),
    Town("Villevêque-le-Haut", "53990", "Pays de la Loire"),
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

# Names that belong to one country; the others abroad are British or American.
HOMES: Final = {
    "Rheintal Maschinen": "DE",
    "Ostsee Reederei": "DE",
    "Elbufer Digital": "DE",
    "Nordwind Pumpen": "DE",
    "Ardennia": "BE",
    "Vandermeulen Logistics": "BE",
    "Hautmeuse Industries": "BE",
    "Brasserie de la Lesse": "BE",
    "Moselle Capital": "LU",
    "Alzette Partners": "LU",
    "Grünewald Assurances": "LU",
    "Vianden Data": "LU",
}

# The name of an organisation by client type: first part, middle, ending. Middles are used once
# as long as there are any left.
NAMES: Final = {
    "Large account": (
        ("Groupe ", "", "", "Compagnie ", "Établissements "),
        (
            "Armorial",
            "Novalys",
            "Estuaire Énergies",
            "Océvane Transport",
            "Valcourt",
            "Ligéris Assurances",
            "Hermine Distribution",
            "Sillon Agroalimentaire",
            "Atlanvie Mutuelle",
            "Cap Loire Habitat",
            "Briévane",
            "Terravel Environnement",
            "Coquelet Frères",
            "Mabilais Industries",
            "Penfret Logistique",
            "Rosmadec Laitière",
            "Thouaré Aéro",
            "Vaudelnay Emballages",
            "Isac Construction",
            "Goulven Marine",
            "Mauges Textile",
            "Belliard Santé",
            "Trentemoult Ferroviaire",
            "Keravel Retail",
        ),
        ("", "", " SA"),
    ),
    "SME": (
        (
            "Menuiserie ",
            "Transports ",
            "Imprimerie ",
            "Biscuiterie ",
            "Cabinet ",
            "Ateliers ",
            "Électricité ",
            "Conserverie ",
            "Chantiers ",
            "Brasserie ",
            "Pépinières ",
            "Mécanique ",
            "Charpentes ",
            "Laboratoires ",
            "Cartonnages ",
            "Voilerie ",
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
            "Le Floc'h",
            "Gouzerh",
            "Blouin",
            "Renaudin",
            "du Layon",
            "de Grand-Lieu",
            "Cosquer",
            "Lebreton et Associés",
            "Thébaud",
            "Pineau",
            "du Golfe",
            "de l'Odet",
            "Mainguy",
            "Corbineau",
            "Salaün-Kerjean",
            "des Trois Rivières",
            "Audrain",
            "Bossard",
            "du Pays Blanc",
            "Grelier",
            "Hamonic",
            "de la Sèvre",
            "Josso",
            "Kerboul",
            "Levesque",
            "Merlet",
            "de l'Aven",
            "Orain",
            "Pasquier-Morin",
            "Rivalan",
        ),
        (" SARL", " SAS", "", " SAS", " SARL"),
    ),
    "Start-up": (
        ("",),
        (
            "Nimbéo",
            "Kelvia",
            "Fluxia",
            "Ozéna",
            "Brumea",
            "Hopla Mobilité",
            "Datalou",
            "Zéphia Énergie",
            "Marégo",
            "Pixéal Studio",
            "Veloria",
            "Tidalo",
            "Algoé Santé",
            "Loopéo",
            "Sardine Labs",
            "Wattéo",
            "Granit IA",
            "Embrun Tech",
            "Kouign Studio",
            "Nautéa",
            "Pommeraie Food",
            "Sillage IA",
            "Câlinou",
            "Triskia",
            "Vertuose",
        ),
        ("", " SAS", " SAS"),
    ),
    "Public sector": (
        (
            "Ville de ",
            "Mairie de ",
            "Communauté de communes de ",
            "Centre hospitalier de ",
            "Office public de l'habitat de ",
            "Syndicat des eaux de ",
            "Lycée agricole de ",
            "Agence d'urbanisme de ",
        ),
        tuple(place.name for place in PUBLIC_PLACES),
        ("",),
    ),
    "Non-profit": (
        ("Association ", "Fondation ", "Fédération ", "Collectif "),
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
            "Lire à Voix Haute",
            "Vélo Partagé Nantais",
            "Recyclerie du Marais",
            "Musiques d'Ici",
        ),
        ("",),
    ),
    "International": (
        ("",),
        (
            "Northgate Logistics",
            "Blackwater Systems",
            "Harbour & Finch",
            "Cedar Ridge Software",
            "Silverlake Analytics",
            "Moorland Energy",
            "Kingsbridge Consulting",
            "Redwood Marine",
            "Elmstead Insurance",
            "Larkfield Foods",
            "Westhaven Robotics",
            "Thistle & Bray",
            "Quarry Hill Partners",
            "Stonebridge Freight",
            *HOMES,
        ),
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
