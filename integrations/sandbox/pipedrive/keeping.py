"""Keeping a world in a file, so that a demo started again goes on where it stopped."""

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from integrations.sandbox.pipedrive.world import Profile, World

# What JSON turns into text, and back: objects by their number.
_NUMBERED: Final = (
    "pipelines",
    "stages",
    "products",
    "organizations",
    "persons",
    "deals",
    "lines",
    "discounts",
    "installments",
    "merged",
)
_PLAIN: Final = (
    "seed",
    "company",
    "users",
    "currencies",
    "deal_fields",
    "organization_fields",
    "person_fields",
    "keys",
    "awkward",
)


class UnreadableWorld(ValueError):
    """The file is not one that `save_world` wrote."""


def save_world(world: World, path: Path) -> None:
    """Whole or not at all: a kill while writing leaves the older file."""
    with world.lock:
        kept: dict[str, Any] = {name: getattr(world, name) for name in (*_PLAIN, *_NUMBERED)}
        kept["today"] = world.today.isoformat()
        kept["profiles"] = {
            number: dataclasses.asdict(profile) for number, profile in world.profiles.items()
        }
        text = json.dumps(kept, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def load_world(path: Path) -> World:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        given: dict[str, Any] = {name: kept[name] for name in _PLAIN}
        for name in _NUMBERED:
            given[name] = {int(key): value for key, value in kept[name].items()}
        profiles = {int(key): Profile(**value) for key, value in kept["profiles"].items()}
        today = date.fromisoformat(kept["today"])
        return World(today=today, profiles=profiles, **given)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableWorld(
            f"{path} holds no world of this stand-in; remove it to begin anew."
        ) from error
