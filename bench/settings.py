"""The settings of production, with a folder of its own for static files and a page for floors."""

from __future__ import annotations

import os
from pathlib import Path

from billing_portal.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
STATIC_ROOT = Path(os.environ["BENCH_FOLDER"]) / "static"
