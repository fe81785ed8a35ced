"""Where the invented clients are."""

from typing import Final, NamedTuple


class Town(NamedTuple):
    name: str
    postal_code: str
    region: str


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
