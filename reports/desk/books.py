"""What the last check of the books found, first on the desk until a check passes again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_portal.accounts.models import User
from invoices.models import BooksCheck

NAMED = 3


@dataclass(frozen=True)
class BrokenBooks:
    count: int
    # The first of them: where, and what.
    named: list[tuple[str, str]]
    found_at: datetime
    # May open the page of the books and have them checked again.
    may_open: bool

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.named))


def broken_books(user: User) -> BrokenBooks | None:
    """None to those who cannot do anything about it, and when the last check passed."""
    if user.role not in (User.Role.FINANCE, User.Role.ADMINISTRATOR):
        return None
    last = BooksCheck.objects.first()
    if last is None or not last.broken:
        return None
    return BrokenBooks(
        count=last.broken,
        named=[(str(where), str(text)) for where, text in last.named[:NAMED]],
        found_at=last.ended_at,
        may_open=user.has_perm("accounts.change_company"),
    )
