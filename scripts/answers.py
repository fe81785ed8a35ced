"""Fail with a sentence unless each server named on the command line answers."""

from __future__ import annotations

import sys

import psycopg
import redis

for url in sys.argv[1:]:
    try:
        if url.startswith("redis"):
            redis.Redis.from_url(url, socket_timeout=5).ping()
        else:
            psycopg.connect(url, connect_timeout=5).close()
    except (psycopg.Error, redis.RedisError) as problem:
        sys.exit(f"{url} does not answer, so the tests cannot run on it: {problem}")
