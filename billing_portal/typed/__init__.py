"""What people type, read once and in one way: numbers, amounts, days and texts.

`numbers`, `days` and `texts` are pure and say in a sentence why they refuse. `fields` makes form
fields of them; forms of every app are built from these. What our own links carry (`machine`) is a
separate, strict spelling without a language, so that an address means the same to everybody.
"""
