"""Databases that a run makes, copies and drops: files, or databases of a PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

SERVER = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@dataclass(frozen=True)
class Sqlite:
    folder: Path
    name: str = "SQLite"

    def answers(self) -> str:
        """ "" or why it cannot be measured."""
        return ""

    def _file(self, database: str) -> Path:
        return self.folder / f"{database}.sqlite3"

    def url(self, database: str) -> str:
        return f"sqlite:///{self._file(database)}"

    def exists(self, database: str) -> bool:
        return self._file(database).exists()

    def make(self, database: str, like: str = "") -> None:
        self.drop(database)
        if like:
            with sqlite3.connect(self._file(like)) as source:
                source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            source.close()
            shutil.copyfile(self._file(like), self._file(database))

    def settle(self, database: str) -> None:
        """What the database does by itself in time."""

    def drop(self, database: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._file(database)}{ending}").unlink(missing_ok=True)

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"


@dataclass(frozen=True)
class Postgres:
    name: str = "PostgreSQL"

    def _server(self, database: str = "") -> psycopg.Connection:
        return psycopg.connect(
            self.url(database) if database else SERVER, autocommit=True, connect_timeout=3
        )

    def answers(self) -> str:
        try:
            self._server().close()
        except psycopg.OperationalError as error:
            place = urlsplit(SERVER)
            reason = str(error).strip().splitlines()[-1]
            return f"PostgreSQL at {place.hostname}:{place.port} does not answer: {reason}"
        return ""

    def url(self, database: str) -> str:
        return urlsplit(SERVER)._replace(path=f"/{database}").geturl()

    def exists(self, database: str) -> bool:
        with self._server() as server:
            found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            return found.fetchone() is not None

    def make(self, database: str, like: str = "") -> None:
        self.drop(database)
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
        if like:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(like))
        with self._server() as server:
            server.execute(command)

    def settle(self, database: str) -> None:
        with self._server(database) as server:
            server.execute("VACUUM (ANALYZE)")

    def drop(self, database: str) -> None:
        command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with self._server() as server:
            server.execute(command.format(sql.Identifier(database)))

    def version(self) -> str:
        with self._server() as server:
            found = server.execute("SHOW server_version").fetchone()
            return f"PostgreSQL {found[0].split()[0] if found else '?'}"


Store = Sqlite | Postgres
