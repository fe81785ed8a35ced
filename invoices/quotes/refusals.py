"""Why something is not done to a quote."""

from __future__ import annotations


class QuoteRefused(Exception):
    """Nothing was changed; the message is written for whoever asked, one of us or the client."""
