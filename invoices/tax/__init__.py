"""Where parties are for VAT, and what that makes of a service between them (pure: no rows)."""
