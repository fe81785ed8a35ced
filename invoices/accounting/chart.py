"""Which account each line of an entry is on: the usual ones, and those that somebody chose.

The usual ones follow the plan comptable général (règlement ANC 2014-03); their subdivisions
(706200, 445711…) are customary, not prescribed, and an accountant confirms them. Exchange
differences on trade are on 656 and 756 since ANC 2015-05 for companies that tell them apart; 666
and 766 are what most still use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoices.documents.nature import Nature
from invoices.models import LedgerAccount
from invoices.tax.territories import Territory

Role = LedgerAccount.Role


@dataclass(frozen=True, slots=True)
class Key:
    """What an account is for. Empty is any; a VAT account without a rate is for VAT whose rate is
    not stated, as in the documents of an older system."""

    role: str
    territory: str = ""
    category: str = ""
    rate: Decimal | None = None
    nature: str = ""

    def covers(self, other: Key) -> bool:
        return (
            self.role == other.role
            and self.territory in ("", other.territory)
            and self.category in ("", other.category)
            and self.rate in (None, other.rate)
            and self.nature in ("", other.nature)
        )

    @property
    def narrowness(self) -> int:
        """The territory tells more than the category, that more than the rate, the nature least."""
        told = (self.territory, self.category, self.rate is not None, self.nature)
        return sum(bool(each) << place for place, each in enumerate(reversed(told)))


@dataclass(frozen=True, slots=True)
class Account:
    number: str
    label: str
    role: str


@dataclass(frozen=True)
class Choice:
    """One line of the page of accounts."""

    key: Key
    account: Account
    # Of the row in the table; None while the usual account holds.
    pk: int | None = None
    is_usual: bool = True


def _rate(text: str) -> Decimal:
    return Decimal(text)


_OVERSEAS: Final = (Territory.DOM_WITH_VAT, Territory.DOM_WITHOUT_VAT, Territory.COLLECTIVITY)
_SERVICES, _GOODS = Nature.SERVICES.value, Nature.GOODS.value
USUAL: Final[dict[Key, tuple[str, str]]] = {
    Key(Role.CLIENTS): ("411000", "Clients"),
    Key(Role.ADVANCES): ("419100", "Clients – avances et acomptes reçus"),
    Key(Role.DEPOSITS): ("419100", "Clients – avances et acomptes reçus"),
    Key(Role.BANK): ("512000", "Banque"),
    Key(Role.SALES, nature=_SERVICES): ("706000", "Prestations de services"),
    Key(Role.SALES, nature=_GOODS): ("707000", "Ventes de marchandises"),
    Key(Role.SALES, territory=Territory.EU, category="AE"): (
        "706200",
        "Prestations de services – Union européenne",
    ),
    Key(Role.SALES, category="O"): ("706300", "Prestations de services – hors Union européenne"),
    Key(Role.SALES, category="K"): ("707200", "Ventes – livraisons intracommunautaires"),
    Key(Role.SALES, category="G"): ("707300", "Ventes – exportations"),
    **{
        Key(Role.SALES, territory=where, nature=nature): account
        for where in _OVERSEAS
        for nature, account in (
            (_SERVICES, ("706400", "Prestations de services – outre-mer")),
            (_GOODS, ("707400", "Ventes – outre-mer")),
        )
    },
    Key(Role.REBATES, nature=_SERVICES): ("709600", "RRR accordés – prestations de services"),
    Key(Role.REBATES, nature=_GOODS): ("709700", "RRR accordés – ventes de marchandises"),
    Key(Role.SALES_DISCOUNT): ("709000", "Rabais, remises et ristournes accordés"),
    Key(Role.SALES_CHARGE): ("708500", "Ports et frais accessoires facturés"),
    Key(Role.RETENTION): ("411700", "Clients – retenues de garantie"),
    Key(Role.VAT, rate=_rate("20")): ("445711", "TVA collectée 20 %"),
    Key(Role.VAT, rate=_rate("10")): ("445712", "TVA collectée 10 %"),
    Key(Role.VAT, rate=_rate("5.5")): ("445713", "TVA collectée 5,5 %"),
    Key(Role.VAT, rate=_rate("2.1")): ("445714", "TVA collectée 2,1 %"),
    Key(Role.VAT, rate=_rate("8.5")): ("445715", "TVA collectée 8,5 %"),
    Key(Role.VAT): ("445710", "TVA collectée, taux non précisé"),
    Key(Role.VAT_WAITING): ("445740", "TVA collectée en attente d’encaissement"),
    Key(Role.EXCHANGE_GAIN): ("766000", "Gains de change"),
    Key(Role.EXCHANGE_LOSS): ("666000", "Pertes de change"),
    Key(Role.DISCOUNT): ("665000", "Escomptes accordés"),
    Key(Role.BAD_DEBT): ("654000", "Pertes sur créances irrécouvrables"),
    Key(Role.SMALL_LOSS): ("658000", "Charges diverses de gestion courante"),
    Key(Role.SMALL_GAIN): ("758000", "Produits divers de gestion courante"),
    Key(Role.FEES): ("627000", "Services bancaires et assimilés"),
}
# The digits that an account of each role begins with (the classes of the plan comptable).
BEGINNINGS: Final[dict[str, tuple[str, ...]]] = {
    Role.CLIENTS: ("41",),
    Role.ADVANCES: ("41",),
    Role.DEPOSITS: ("41",),
    Role.BANK: ("5",),
    Role.SALES: ("70", "71", "72", "74", "75"),
    Role.SALES_DISCOUNT: ("70",),
    Role.SALES_CHARGE: ("70",),
    Role.RETENTION: ("41",),
    Role.VAT: ("445",),
    Role.VAT_WAITING: ("445",),
    Role.EXCHANGE_GAIN: ("75", "76"),
    Role.EXCHANGE_LOSS: ("65", "66"),
    Role.BAD_DEBT: ("65",),
    Role.SMALL_LOSS: ("65",),
    Role.SMALL_GAIN: ("75",),
    Role.FEES: ("62",),
}


class Chart:
    """The accounts that hold now."""

    def __init__(self, chosen: Iterable[LedgerAccount] = ()) -> None:
        rows = list(chosen)
        # One account may be for several things, and has one name: the one that was given last.
        names = {row.number: row.label for row in sorted(rows, key=lambda row: row.updated_at)}
        self._choices: dict[Key, Choice] = {
            key: Choice(key, Account(number, names.get(number, label), key.role))
            for key, (number, label) in USUAL.items()
        }
        for row in rows:
            key = key_of(row)
            account = Account(row.number, names[row.number], row.role)
            self._choices[key] = Choice(key, account, row.pk, key in USUAL)
        self._found: dict[Key, Account | None] = {}

    @classmethod
    def ours(cls) -> Chart:
        return cls(LedgerAccount.objects.all())

    def __iter__(self) -> Iterator[Choice]:
        order = list(Role.values)
        return iter(
            sorted(
                self._choices.values(),
                key=lambda each: (
                    order.index(each.key.role),
                    each.key.narrowness,
                    each.key.territory,
                    each.key.category,
                    -(each.key.rate if each.key.rate is not None else Decimal(-1)),
                    each.key.nature != _SERVICES,
                ),
            )
        )

    def choice(self, key: Key) -> Choice | None:
        return self._choices.get(key)

    def one(self, role: str) -> Account:
        return self._choices[Key(role)].account

    def sales(self, territory: str, category: str, rate: Decimal | None, nature: str) -> Account:
        """There is one for each nature, so that nothing sold is without an account."""
        found = self._narrowest(Key(Role.SALES, territory, category, rate, nature))
        assert found is not None
        return found

    def rebates(self, territory: str, category: str, rate: Decimal | None, nature: str) -> Account:
        found = self._narrowest(Key(Role.REBATES, territory, category, rate, nature))
        assert found is not None
        return found

    def vat(self, rate: Decimal | None) -> Account | None:
        """None where no account was chosen for this rate: it is said, and nothing is guessed."""
        held = self._choices.get(Key(Role.VAT, rate=rate))
        return held.account if held else None

    def waiting(self, rate: Decimal | None) -> Account:
        found = self._narrowest(Key(Role.VAT_WAITING, rate=rate))
        assert found is not None
        return found

    def _narrowest(self, wanted: Key) -> Account | None:
        if wanted not in self._found:
            covering = [each for each in self._choices.values() if each.key.covers(wanted)]
            best = max(covering, key=lambda each: each.key.narrowness, default=None)
            self._found[wanted] = best.account if best else None
        return self._found[wanted]


def key_of(row: LedgerAccount) -> Key:
    rate = None if row.rate is None else Decimal(row.rate)
    return Key(row.role, row.territory, row.category, rate, row.nature)


def row_of(choice: Choice) -> LedgerAccount:
    """The row that a choice is, or would become when somebody changes it."""
    key, account = choice.key, choice.account
    return LedgerAccount(
        pk=choice.pk,
        role=key.role,
        territory=key.territory,
        category=key.category,
        rate=key.rate,
        nature=key.nature,
        number=account.number,
        label=account.label,
    )
