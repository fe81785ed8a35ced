"""Measures, each beside a floor measured in the same run: `make bench`, and docs/bench.md."""
