"""Company identifiers that pass their own check digits, made from a random source."""

from random import Random


def siren(rng: Random, *, public: bool = False) -> str:
    """Nine digits with a Luhn check, from ranges that are not handed out."""
    body = ("299" if public else "989") + f"{rng.randrange(100_000):05d}"
    # The check digit stands at an odd place from the right, so the body's last digit is doubled.
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def french_vat(siren_number: str) -> str:
    key = (12 + 3 * (int(siren_number) % 97)) % 97
    return f"FR{key:02d}{siren_number}"


def foreign_vat(rng: Random, country: str) -> str:
    """A VAT number of a country in `places.COUNTRIES`; empty where there is no such thing."""
    if country == "BE":
        body = rng.randrange(4_000_000, 9_000_000)
        return f"BE0{body}{97 - body % 97:02d}"
    if country == "DE":
        body_digits = f"{rng.randrange(10_000_000, 100_000_000)}"
        product = 10
        for digit in body_digits:
            total = (int(digit) + product) % 10 or 10
            product = (2 * total) % 11
        return f"DE{body_digits}{(11 - product) % 10}"
    if country == "LU":
        number = rng.randrange(100_000, 1_000_000)
        return f"LU{number}{number % 89:02d}"
    if country == "GB":
        number = rng.randrange(1_000_000, 10_000_000)
        weighted = sum(int(d) * w for d, w in zip(f"{number}", range(8, 1, -1), strict=True))
        return f"GB{number}{97 - weighted % 97:02d}"
    return ""
