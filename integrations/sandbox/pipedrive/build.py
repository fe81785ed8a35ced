"""Builds the world: the same seed, day and number of deals always give the same one."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from integrations.sandbox.pipedrive.deals import Deals
from integrations.sandbox.pipedrive.shapes import Json, stamp
from integrations.sandbox.pipedrive.world import World

DEFAULT_DEALS: Final = 1_500
DEFAULT_SEED: Final = 59

_ORGANIZATIONS: Final = {
    "Large account": 22,
    "SME": 50,
    "Start-up": 21,
    "Public sector": 19,
    "Non-profit": 12,
    "International": 16,
}


def build_world(
    *,
    today: date | None = None,
    deals: int = DEFAULT_DEALS,
    seed: int = DEFAULT_SEED,
) -> World:
    """`deals` counts all that are not deleted, archived ones too. `today` is the real day if None.

    Nothing in it happens after the end of the day before `today`.
    """
    return _Builder(today or date.today(), deals, seed).build()


class _Builder(Deals):
    def __init__(self, today: date, count: int, seed: int) -> None:
        super().__init__(today, seed)
        self.count = count

    def build(self) -> World:
        organizations = dict(_ORGANIZATIONS)
        for client_type in organizations:
            organizations[client_type] += max(0, self.count - 3_000) // 3_000 * 8
        for client_type, wanted in organizations.items():
            for _ in range(wanted):
                self.organization(client_type)
        regular = list(self.weights)
        self._awkward_organizations()
        self._queue(regular)
        self._awkward_deals(regular)
        self._deleted_deals(regular)
        special = sum(not draft.deleted for draft in self.drafts)
        if self.count < special:
            raise ValueError(f"The odd cases alone are {special} deals: ask for at least as many.")
        self.regular_deals(regular, self.count - special)
        self.number_the_deals()
        return self.world

    # The odd cases, and the queue of what is to be billed

    def _awkward_organizations(self) -> None:
        """Each also has won deals of the past; the merged one is merged after they are made."""
        cases: dict[str, tuple[str, Json]] = {
            "organization_without_address": (
                "SME",
                {"name": "Ferronnerie Tanguy SARL", "address": None},
            ),
            "organization_without_vat_id": (
                "SME",
                {"name": "Brasserie du Bout du Quai SAS", "vat_id": ""},
            ),
            "organization_with_markup_and_emoji": (
                "SME",
                {"name": "Crêperie <b>Ti Gwenn</b> & Fils 🥞"},
            ),
            "organization_with_template_code": (
                "Start-up",
                {"name": '{{ 7*7 }} Conseil {% now "Y" %}'},
            ),
            "organization_with_250_characters": ("Non-profit", {"name": _LONG_NAME}),
            "organization_with_unknown_option": (
                "SME",
                {"name": "Verrerie de Kerfany SAS", "option": 999},
            ),
            "organization_deleted": ("SME", {"name": "Papeterie Morvan SARL"}),
            "organization_merged_away": ("Large account", {"name": "Belvallée SAS"}),
            "organization_merged_into": ("Large account", {"name": "Groupe Belvallée"}),
            "client_later_than_its_habit": ("Large account", {"name": "Compagnie des Phares SA"}),
        }
        for case, (client_type, given) in cases.items():
            organization_id = self.organization(client_type, **given)
            self.world.awkward[case] = organization_id
            many = 34 if case == "client_later_than_its_habit" else 3
            if many > 3 and self.count < 600:
                many = 4
            for place in range(many):
                back = 45 + place * (800 // many) + self.rng.randrange(10)
                self.won(organization_id, back)
        awkward, world = self.world.awkward, self.world
        awkward["person_with_markup"] = self.person(
            awkward["organization_with_markup_and_emoji"],
            "tigwenn.example",
            self.at(self.today - timedelta(days=120)),
            name="<img src=x onerror=alert(1)> Gwenn 💶",
        )
        gone = self.at(self.today - timedelta(days=12))
        loser, winner = awkward["organization_merged_away"], awkward["organization_merged_into"]
        for draft in self.drafts:
            if draft.organization_id == loser:
                draft.organization_id = winner
        for person_id in self.people.pop(loser):
            world.persons[person_id].update(org_id=winner, update_time=stamp(gone))
            self.people[winner].append(person_id)
        world.merged[loser] = winner
        world.organizations[winner]["update_time"] = stamp(gone)
        for organization_id in (loser, awkward["organization_deleted"]):
            world.organizations[organization_id].update(is_deleted=True, update_time=stamp(gone))

    def _queue(self, regular: list[int]) -> None:
        """Won lately, so not yet billed: most are complete, five lack something."""
        rng, awkward = self.rng, self.world.awkward
        profiles = self.world.profiles
        by_currency = {
            currency: [o for o in regular if profiles[o].currency == currency]
            for currency in ("EUR", "USD", "GBP")
        }
        french = [o for o in by_currency["EUR"] if profiles[o].country == "FR"]
        for place in range(9):
            self.won(rng.choice(french), 2 + place * 2)
        for currency, days_back in (("USD", 6), ("GBP", 9)):
            if by_currency[currency]:
                self.won(rng.choice(by_currency[currency]), days_back)
        overflowing = self.won(rng.choice(french), 5, name="deal_with_5000_character_comment")
        overflowing.lines[0]["comments"] = _LONG_COMMENT
        rebate = self.won(rng.choice(french), 8, name="deal_with_negative_line")
        del rebate.lines[4:]
        rebate.lines[0].update(quantity=10, item_price=890, is_enabled=True)
        rebate.lines.append(
            {
                **rebate.lines[0],
                "quantity": 1,
                "item_price": -500,
                "discount": 0,
                "discount_type": "percentage",
                "comments": "Reprise de l'acompte de cadrage.",
            }
        )

        self.won(awkward["organization_without_address"], 4, name="deal_lacking_an_address")
        self.won(awkward["organization_without_vat_id"], 7, name="deal_lacking_a_vat_id")
        self.won(
            rng.choice(french),
            3,
            name="deal_without_lines",
            with_lines=False,
            free_value=Decimal(8400),
        )
        self.won(None, 11, name="deal_without_organization")
        self.won(rng.choice(french), 13, name="deal_in_unknown_currency", currency="KRL")

    def _awkward_deals(self, regular: list[int]) -> None:
        rng = self.rng
        nothing = self.won(rng.choice(regular), 210, name="deal_of_zero_value", with_lines=False)
        nothing.title = "Atelier de découverte offert"
        nothing.lines = [{"product_id": 10, "quantity": 1, "item_price": 0}]
        huge = self.won(rng.choice(regular), 95, name="deal_with_12_digit_price", with_lines=False)
        huge.status = "lost"
        huge.title = "Erreur de saisie : ne pas facturer"
        huge.lines = [{"product_id": 16, "quantity": 1, "item_price": 123456789012.34}]
        titled = self.won(rng.choice(regular), 130, name="deal_with_template_bomb")
        titled.title = (
            "{% for x in '0123456789'|make_list %}{{ x|ljust:'99999999' }}{% endfor %} 🚀"
        )
        archived = self.won(rng.choice(regular), 500, name="deal_archived_and_won")
        archived.archived = True
        inclusive = self.won(rng.choice(regular), 60, name="deal_with_tax_inclusive_lines")
        exempt = self.won(rng.choice(regular), 61, name="deal_with_tax_method_none")
        for draft, method in ((inclusive, "inclusive"), (exempt, "none")):
            for line in draft.lines:
                line.update(tax_method=method, tax=20 if method == "inclusive" else 0)
        discounted = self.won(rng.choice(regular), 62, name="deal_with_extra_discounts")
        discounted.lines[0].update(quantity=10, item_price=720, is_enabled=True)
        discounted.discounts = [
            {"type": "percentage", "amount": 5, "description": "Remise fidélité"},
            {"type": "amount", "amount": 250, "description": "Geste commercial"},
        ]
        disabled = self.won(rng.choice(regular), 63, name="deal_with_disabled_line")
        disabled.lines = [*disabled.lines[:3], {**disabled.lines[0], "is_enabled": False}]
        instalments = self.won(rng.choice(regular), 64, name="deal_with_installments")
        instalments.installments, instalments.pipeline = 3, 0
        instalments.lines = [{"product_id": 16, "quantity": 1, "item_price": 18000, "tax": 20}]
        recurring = self.won(rng.choice(regular), 65, name="deal_with_recurring_line")
        recurring.pipeline = 1
        recurring.lines = [
            {
                "product_id": 19,
                "quantity": 1,
                "item_price": 390,
                "tax": 20,
                "billing_frequency": "monthly",
                "billing_frequency_cycles": 12,
                "billing_start_date": str(self.today - timedelta(days=40)),
            },
            {
                "product_id": 20,
                "quantity": 2,
                "item_price": 1290,
                "tax": 20,
                "billing_frequency": "monthly",
                "billing_frequency_cycles": None,
            },
        ]

    def _deleted_deals(self, regular: list[int]) -> None:
        for days_back, name in ((20, "deal_deleted"), (33, ""), (90, "deal_deleted_long_ago")):
            self.won(self.rng.choice(regular), days_back, name=name, deleted=True)


_LONG_NAME: Final = (
    "Association intercommunale pour la promotion des métiers du numérique, de la mer et du "
    "littoral, l'accompagnement des demandeurs d'emploi et la formation tout au long de la vie "
    "dans les territoires ruraux et insulaires de la Bretagne et des Pays de la Loire réunies"
)[:250]

_SENTENCE: Final = (
    "Reprise des données du logiciel précédent, contrôle des écarts avec le service comptable, "
    "puis bascule en production un vendredi soir et présence sur site le lundi. "
)
_LONG_COMMENT: Final = (_SENTENCE * 40)[:4_999] + "."
