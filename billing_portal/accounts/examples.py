"""The people whom the demo makes, and nobody else: anyone may read of them before signing in."""

from __future__ import annotations

from billing_portal.accounts.models import User

# In the order in which they are offered: finance first, who works here all day.
EXAMPLES = {
    "finance@kerlann.example": (User.Role.FINANCE, "Maëlle Kervadec"),
    "manager@kerlann.example": (User.Role.MANAGER, "Gwenaël Prigent"),
    # A person of the stand-in for Pipedrive, who owns deals there.
    "yann.legoff@kerlann.example": (User.Role.SALES, "Yann Le Goff"),
    "admin@kerlann.example": (User.Role.ADMINISTRATOR, "Inès Carvalho"),
}


def make_examples(password: str) -> None:
    for email, (role, name) in EXAMPLES.items():
        User.objects.create_user(email, password, name=name, role=role)


def examples() -> list[User]:
    """Those who can sign in now."""
    found = User.objects.filter(email__in=EXAMPLES, is_active=True)
    order = list(EXAMPLES)
    return sorted(
        (user for user in found if user.has_usable_password()),
        key=lambda user: order.index(user.email),
    )
