"""The demo's VIES: it knows the ids of the customers in the demo's CRM, but for one."""

from __future__ import annotations

from integrations.sandbox.pipedrive.world import World
from integrations.sandbox.vies.register import STATES, Trader
from integrations.sandbox.vies.stand_in import ViesSandbox


def traders_of(world: World) -> dict[str, Trader]:
    found = {}
    for number, profile in sorted(world.profiles.items()):
        if profile.vat_id[:2] in STATES:
            row = world.organizations[number]
            address = (row["address"] or {}).get("value", "").replace(", ", "\n")
            found[profile.vat_id] = Trader(row["name"].upper(), address)
    return found


def demo_vies(world: World, port: int) -> ViesSandbox:
    """With something to show: one Belgian gave up its id, and Luxembourg's register is out of
    order the first time that it is asked."""
    traders = traders_of(world)
    belgian = [vat_id for vat_id in traders if vat_id.startswith("BE")]
    for vat_id in belgian[1:2]:
        del traders[vat_id]
    vies = ViesSandbox(traders, port=port)
    vies.register.trouble("LU", "MS_UNAVAILABLE")
    return vies
