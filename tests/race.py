"""Several people at once: real threads, each with a connection of its own."""

from __future__ import annotations

import threading

from django.db import connections


def at_once(*acts):
    """Run all of them from one starting gun; what each returned or raised, in order."""
    gun = threading.Barrier(len(acts))
    found = [None] * len(acts)

    def run(place, act):
        try:
            gun.wait()
            found[place] = act()
        except Exception as trouble:
            found[place] = trouble
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found
