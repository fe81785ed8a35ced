"""One measure in a process of its own, on the database of DATABASE_URL; prints a line per result.

python -m bench.worker MEASURE [ARGUMENT...]
"""

from __future__ import annotations

import importlib
import json
import sys

import django

MEASURES = {
    "prepare": "bench.data",
    "migrate": "bench.data",
    "pages": "bench.pages",
    "queries": "bench.pages",
    "parts": "bench.parts",
    "document": "bench.papers",
    "issue": "bench.documents",
    "issue_some": "bench.workers",
    "workers": "bench.workers",
    "batch": "bench.workers",
    "statement": "bench.files",
    "export": "bench.files",
    "verify_books": "bench.books",
    "recurring": "bench.subscriptions",
    "alerts": "bench.alerts",
    "previews": "bench.previews",
    "sync": "bench.pipedrive",
    "look_at_history": "bench.history",
    "write_history": "bench.history",
}


def main(name: str, *arguments: str) -> None:
    django.setup()
    for result in getattr(importlib.import_module(MEASURES[name]), name)(*arguments):
        print(json.dumps(result.as_json(), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
