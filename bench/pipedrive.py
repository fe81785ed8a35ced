"""An import from the stand-in for Pipedrive, over real HTTP, into an empty portal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from django.apps import apps
from django.db import connection, models, transaction

from bench.timing import Fact, Row, Spent, statements, timed
from integrations.connecting import connect_crm
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.models import Connection, SyncRun
from integrations.registry import open_crm

TOKEN = "sandbox-token"
# What a run keeps about itself; everything else is the portal's data.
BOOKKEEPING = ("integrations_connection", "integrations_syncrun", "integrations_syncrefusal")


def _run(connected: Connection, *, full: bool) -> SyncRun:
    started = start_sync(connection_id=connected.pk, full=full, by=None, enqueue=False)
    taken = claim(started.pk)
    assert taken is not None
    run = carry_out(taken, open_crm=open_crm)
    assert run.state == SyncRun.State.DONE, run.error
    return run


def _requests(base_url: str, *, forget: bool = False) -> int:
    url = f"{base_url}/_sandbox/requests"
    count = sum(requests.get(url, timeout=60).json().values())
    if forget:
        requests.delete(url, timeout=60)
    return count


def sync(base_url: str, with_lines: str, differing: str) -> Iterator[Row | Fact]:
    connected = connect_crm(base_url=base_url, api_token=TOKEN)
    _requests(base_url, forget=True)
    before = _rows()
    runs: list[SyncRun] = []
    spent = timed(lambda: runs.append(_run(connected, full=True)))
    asked = _requests(base_url, forget=True)
    written = _new_rows(before)
    count = sum(len(rows) for _model, rows in written)
    floor = Spent(*(sum(each) for each in zip(*_inserted(written), strict=True)))
    deals = next(len(rows) for model, rows in written if model._meta.model_name == "deal")
    yield Row.of(
        f"sync of {deals:,} deals over HTTP, {count:,} rows",
        spent,
        [("the same rows by raw bulk insert", floor)],
    )
    most = 13 * int(with_lines) // 1000 + 15 + int(differing)
    yield Fact(
        f"its requests: {int(with_lines):,} deals with lines, {differing} of another value",
        str(asked),
        f"≤ {most}",
        asked <= most,
    )
    with statements() as heard:
        runs.append(_run(connected, full=False))
    again = _requests(base_url, forget=True)
    writes = [sql for sql in heard if _writes(sql)]
    yield Fact("requests of a second sync, without news", str(again), "≤ 12", again <= 12)
    yield Fact("its writes to the portal’s data", str(len(writes)), "0", not writes)
    with statements() as heard:
        spent = timed(lambda: runs.append(_run(connected, full=True)))
    writes = [sql for sql in heard if _writes(sql)]
    yield Fact("writes of a full sync without news", str(len(writes)), "0", not writes)


def _writes(sql: str) -> bool:
    verb, *words = sql.split(maxsplit=3)
    if verb not in ("INSERT", "UPDATE", "DELETE"):
        return False
    table = (words[0] if verb == "UPDATE" else words[1]).strip('"')
    return table not in BOOKKEEPING


# ─ The floor ────────────────────────────────────────────────────────────────────────────────────
Rows = list[tuple[type[models.Model], list[tuple[Any, ...]]]]


def _tables() -> list[type[models.Model]]:
    wanted = ("invoices", "integrations", "accounts")
    return [
        model
        for label in wanted
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.db_table not in BOOKKEEPING
    ]


def _rows() -> dict[str, int]:
    return {m._meta.db_table: m._default_manager.count() for m in _tables()}


def _new_rows(before: dict[str, int]) -> Rows:
    found: Rows = []
    with connection.cursor() as cursor:
        for model in _tables():
            if before[model._meta.db_table]:
                continue
            cursor.execute(f'SELECT {_columns(model)} FROM "{model._meta.db_table}"')
            if rows := cursor.fetchall():
                found.append((model, rows))
    return found


def _columns(model: type[models.Model]) -> str:
    return ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)


def _inserted(written: Rows) -> Iterator[Spent]:
    """The same rows taken out and put in again; rolled back at the end, so that nothing changes."""
    with transaction.atomic(), connection.cursor() as cursor:
        for model, _some in reversed(written):
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        for model, rows in written:
            marks = ", ".join(["%s"] * len(model._meta.concrete_fields))
            sql = f'INSERT INTO "{model._meta.db_table}" ({_columns(model)}) VALUES ({marks})'
            values = [tuple(map(_plain, row)) for row in rows]
            yield timed(lambda sql=sql, values=values: cursor.executemany(sql, values))
        transaction.set_rollback(True)


def _plain(value: Any) -> Any:
    """JSON columns come back from PostgreSQL as what they hold."""
    if connection.vendor == "postgresql" and isinstance(value, dict | list):
        from psycopg.types.json import Jsonb

        return Jsonb(value)
    return value
