"""Changes of products, instalments and rights, beside those of deals and organisations."""

import threading
from collections.abc import Iterable
from typing import Any

from integrations.sandbox.pipedrive.shapes import Json


class MoreEdits:
    """A part of the world, which has the things themselves."""

    products: dict[int, Json]
    installments: dict[int, list[Json]]
    hidden: set[tuple[str, int]]
    lacking: set[str]
    lock: threading.RLock

    def now(self) -> str:
        raise NotImplementedError

    def next_id(self) -> int:
        raise NotImplementedError

    def change_deal(self, deal_id: int, **fields: Any) -> Json:
        raise NotImplementedError

    def _change(self, kind: str, things: dict[int, Json], thing_id: int, fields: Json) -> Json:
        raise NotImplementedError

    def hide(self, kind: str, *numbers: int) -> None:
        """The owner of the token loses the right to see them; nothing else happens to them."""
        with self.lock:
            self.hidden |= {(kind, number) for number in numbers}

    def show(self, kind: str, *numbers: int) -> None:
        with self.lock:
            self.hidden -= {(kind, number) for number in numbers}

    def add_product(self, *, name: str, code: str = "", **fields: Any) -> int:
        with self.lock:
            pattern = next(iter(self.products.values()))
            moment, number = self.now(), max(self.products) + 1
            self.products[number] = {
                **pattern,
                "id": number,
                "name": name,
                "code": code,
                "prices": [],
                "add_time": moment,
                "update_time": moment,
            }
            if fields:
                self.change_product(number, **fields)
            return number

    def change_product(self, product_id: int, **fields: Any) -> Json:
        """`prices` are given whole: a list of `price` and `currency`."""
        prices = fields.get("prices")
        if prices is not None:
            fields["prices"] = [
                {"product_id": product_id, "cost": 0, "direct_cost": None, "notes": "", **each}
                for each in prices
            ]
        return self._change("product", self.products, product_id, fields)

    def set_installments(self, deal_id: int, installments: Iterable[Json]) -> Json:
        """Replace them: `amount`, `billing_date`, `description`. That it bumps the deal is ours:
        what the provider does is not known."""
        with self.lock:
            self.installments[deal_id] = [
                {"description": "", **given, "id": self.next_id(), "deal_id": deal_id}
                for given in installments
            ]
            return self.change_deal(deal_id)

    def set_plan(self, *, installments: bool = True, products: bool = True) -> None:
        """What the company's plan has: without them the provider answers 403."""
        with self.lock:
            wanted = {"installments": installments, "products": products}
            self.lacking = {name for name, has in wanted.items() if not has}
