"""What .env.example promises: every variable that the settings read, and values that are values."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = (ROOT / ".env.example").read_text()


def test_it_names_every_variable_that_the_settings_read():
    settings = (ROOT / "billing_portal" / "settings.py").read_text()
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", settings))
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.M))
    assert read == named


def test_no_value_carries_its_comment():
    assert not re.findall(r"^[A-Z_]+=.*#.*$", EXAMPLE, re.M)
