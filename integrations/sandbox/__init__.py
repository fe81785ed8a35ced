"""A local stand-in for Pipedrive: its API over real HTTP, with a believable company behind it.

Used by `make run` (the demo imports from it), by the tests and by the measures. It needs nothing
but Python: no Django, no database.

    python -m integrations.sandbox --port 8899 [--deals 1500] [--seed N] [--today YYYY-MM-DD]
                                   [--vies-port 8900]

The last starts the stand-in for VIES too (vies/stand_in.py), which knows the ids of its customers.

    with running(build_world(deals=200)) as base_url: ...      # in a test, on a free port
    with Sandbox(build_world(deals=200)) as sandbox:           # the same, with its controls
        sandbox.inject("429", path="/api/v2/deals", retry_after=1)
        sandbox.world.win_deal(12)
        sandbox.count("/api/v2/deals/products")

The token is `DEFAULT_TOKEN`. Over HTTP the controls are under `/_sandbox/`: see kit/control.py
and pipedrive/stand_in.py.

The company is Kerlann Conseil, Nantes: consulting and IT, 30 months up to yesterday. Deals won in
the last three weeks wait to be billed; everything before was invoiced in the old accounting, which
`history` exports.

Odd cases, each under its name in `World.awkward` (the value is the object's id):

Organisations (each with won deals)
    organization_without_address        address is null
    organization_without_vat_id         French, SIREN but no VAT id
    organization_with_markup_and_emoji  <b> and an emoji in the name; and
    person_with_markup                  a contact of it whose name is an <img onerror> tag
    organization_with_template_code     {{ 7*7 }} and {% now "Y" %} in the name
    organization_with_250_characters    the longest name
    organization_with_unknown_option    client type 999, which the field does not define
    organization_deleted                deleted 12 days ago; its won deals still point at it
    organization_merged_away            deleted by a merge; its deals moved to
    organization_merged_into            this one
    client_later_than_its_habit         punctual for years, a month late for the last five months

Deals to bill that lack something
    deal_lacking_an_address, deal_lacking_a_vat_id      of the organisations above
    deal_without_lines                  a free value only
    deal_without_organization           org_id and person_id are null
    deal_in_unknown_currency            KRL, a custom currency

Deals to bill that are complete but odd
    deal_with_5000_character_comment    in a line
    deal_with_negative_line             a line with item_price -500

Older deals
    deal_of_zero_value, deal_with_template_bomb (a {% for %} in the title, and an emoji),
    deal_archived_and_won (only in /deals/archived), deal_with_tax_inclusive_lines,
    deal_with_tax_method_none, deal_with_extra_discounts (value below the sum of its lines),
    deal_with_disabled_line, deal_with_installments, deal_with_recurring_line,
    deal_with_12_digit_price (lost), deal_deleted (6 days ago: only with status=deleted),
    deal_deleted_long_ago (not served at all)

The last of the six users has left the company and is inactive, and still owns deals.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.sandbox.kit.behaviour import payment_behaviour
from integrations.sandbox.kit.limits import Limits
from integrations.sandbox.kit.server import DEFAULT_TOKEN
from integrations.sandbox.kit.server import Sandbox as _Server
from integrations.sandbox.pipedrive.build import build_world
from integrations.sandbox.pipedrive.history import history, history_csv, invoiced_deals
from integrations.sandbox.pipedrive.stand_in import PipedriveStandIn
from integrations.sandbox.pipedrive.world import World

__all__ = [
    "DEFAULT_TOKEN",
    "Limits",
    "Sandbox",
    "World",
    "build_world",
    "history",
    "history_csv",
    "invoiced_deals",
    "payment_behaviour",
    "running",
]


class Sandbox(_Server):
    """Pipedrive on a real socket; `sandbox.world` takes edits while it runs."""

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        limits: Limits | None = None,
    ) -> None:
        self.world = world or build_world()
        super().__init__(PipedriveStandIn(self.world), port=port, token=token, limits=limits)


@contextmanager
def running(
    world: World | None = None, *, port: int = 0, token: str = DEFAULT_TOKEN
) -> Iterator[str]:
    """The base address of a stand-in that lives as long as the block. See `Sandbox` for control."""
    with Sandbox(world, port=port, token=token) as sandbox:
        yield sandbox.base_url
