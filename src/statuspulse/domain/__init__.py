"""Values and decisions: pure, synchronous, given `now`; no clock, no I/O, the standard library only."""
