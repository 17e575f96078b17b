"""Measurements of the whole product on this machine; `docs/benchmarks.md` says how to read them."""
