"""What an issued invoice says never changes: the database itself refuses, on SQLite and PostgreSQL.

One list of rules, told to each database in its own words; a refusal carries the rule's name. The
triggers are made anew after every `migrate` and taken away before it on SQLite, where a change of a
column rebuilds the table: that would drop its triggers silently and trip over the others.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from invoices.models.rules_as_data import NEVER_EMPTIED, RULES


def install(connection: BaseDatabaseWrapper) -> None:
    """The rules of the tables that are there: a migration backwards takes some away, and columns of
    others, and with them the rules that ask them."""
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        columns = {
            table: {
                each.name for each in connection.introspection.get_table_description(cursor, table)
            }
            for table in {table for _name, _moment, table, _condition in RULES} & there
        }
        for name, moment, table, condition in RULES:
            if table not in there:
                continue
            asked = set(re.findall(r'(?:OLD|NEW)\."?(\w+)', condition))
            if not (
                asked <= columns[table] and set(re.findall(r"invoices_\w+", condition)) <= there
            ):
                _drop(connection, cursor, name, table)
                continue
            if connection.vendor == "sqlite":
                # SQLite before 3.39 lacks IS DISTINCT FROM; its IS NOT compares nulls too.
                told = condition.replace("IS DISTINCT FROM", "IS NOT").replace("TRUE", "1")
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(
                    f"CREATE TRIGGER {name} BEFORE {moment} ON {table} FOR EACH ROW WHEN {told} "
                    f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
                )
            elif connection.vendor == "postgresql":
                answer = "OLD" if moment == "DELETE" else "NEW"
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN IF {condition} THEN RAISE EXCEPTION '{name}' "
                    "USING ERRCODE = 'integrity_constraint_violation'; END IF; "
                    f"RETURN {answer}; END $$"
                )
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE {moment} ON {table} "
                    f"FOR EACH ROW EXECUTE FUNCTION {name}()"
                )
        if connection.vendor == "postgresql":
            _install_never_emptied(cursor, there)


def _drop(connection: BaseDatabaseWrapper, cursor: Any, name: str, table: str) -> None:
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> set[str]:
    """The rules that the database does not keep, switched off ones among them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
            )
        there = {name for (name,) in cursor.fetchall()}
    wanted = {name for name, *_rest in RULES}
    if connection.vendor == "postgresql":
        wanted |= {f"{table}_is_never_emptied" for table in NEVER_EMPTIED}
    return wanted - there


def _install_never_emptied(cursor: Any, there: set[str]) -> None:
    for table in NEVER_EMPTIED:
        if f"invoices_{table}" not in there:
            continue
        name = f"{table}_is_never_emptied"
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{name}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER {name} BEFORE TRUNCATE ON invoices_{table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def remove(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for name, _moment, table, _condition in RULES:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            elif connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        if connection.vendor == "postgresql":
            for table in NEVER_EMPTIED:
                cursor.execute(
                    f"DROP TRIGGER IF EXISTS {table}_is_never_emptied ON invoices_{table}"
                )


def before_migrate(using: str, **_kwargs: Any) -> None:
    if connections[using].vendor == "sqlite":
        remove(connections[using])


def after_migrate(using: str, **_kwargs: Any) -> None:
    if "invoices_invoice" in connections[using].introspection.table_names():
        install(connections[using])
