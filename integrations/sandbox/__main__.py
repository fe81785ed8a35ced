"""`python -m integrations.sandbox`: the stand-ins as a process of their own, for the demo."""

import argparse
import signal
import sys
import time
from datetime import date
from pathlib import Path
from types import FrameType

from integrations.sandbox import Sandbox
from integrations.sandbox.demo import demo_vies
from integrations.sandbox.kit.limits import Limits
from integrations.sandbox.kit.server import DEFAULT_TOKEN
from integrations.sandbox.kit.server import Sandbox as KitSandbox
from integrations.sandbox.pipedrive.build import DEFAULT_DEALS, DEFAULT_SEED, build_world
from integrations.sandbox.pipedrive.keeping import load_world, save_world
from integrations.sandbox.platform.stand_in import PlatformSandbox


def _given(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m integrations.sandbox",
        description="Local stand-ins for Pipedrive, VIES and a platform, on 127.0.0.1 only.",
    )
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--vies-port", type=int, help="the one for VIES too, on this port")
    parser.add_argument(
        "--platform-port", type=int, help="the one for an approved platform too, on this port"
    )
    parser.add_argument("--deals", type=int, default=DEFAULT_DEALS)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument(
        "--today", type=date.fromisoformat, help="YYYY-MM-DD, the real day if absent"
    )
    parser.add_argument(
        "--state",
        type=Path,
        help="a file to keep the world in; if it exists, the world is read from it and the other "
        "options about its content are ignored",
    )
    parser.add_argument("--token", default=DEFAULT_TOKEN)
    parser.add_argument(
        "--enforce-limits", action="store_true", help="answer 429 beyond the burst and day budgets"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = _given(arguments)
    try:
        if given.state and given.state.exists():
            world = load_world(given.state)
        else:
            world = build_world(today=given.today, deals=given.deals, seed=given.seed)
            if given.state:
                save_world(world, given.state)
        limits = Limits(enforce=given.enforce_limits)
        sandbox = Sandbox(world, port=given.port, token=given.token, limits=limits)
        others: list[KitSandbox] = [
            *([demo_vies(world, given.vies_port)] if given.vies_port else []),
            *([PlatformSandbox(port=given.platform_port)] if given.platform_port else []),
        ]
    except (ValueError, OSError) as error:
        print(f"The stand-in cannot start: {error}", file=sys.stderr)
        return 1

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    alive = sum(not deal["is_deleted"] for deal in world.deals.values())
    print(
        f"{world.company['company_name']}: {alive} deals at {sandbox.base_url} "
        f"(token {given.token}), control at {sandbox.base_url}/_sandbox/",
        flush=True,
    )
    saved = world.edits
    try:
        sandbox.start()
        for other in others:
            other.start()
        while True:
            time.sleep(1)
            if given.state and world.edits != saved:
                saved = world.edits
                save_world(world, given.state)
    except KeyboardInterrupt:
        sandbox.stop()
        for other in others:
            other.stop()
        if given.state and world.edits != saved:
            save_world(world, given.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
