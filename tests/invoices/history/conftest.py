"""How far an import is stands in a folder: tests that run beside each other do not share it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_board(settings, tmp_path):
    settings.VAR_DIR = tmp_path
