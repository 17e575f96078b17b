"""What was decided from it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, SmallInteger, Table, Text, text

from statuspulse.storage.schema.base import Key, metadata

standings = Table(
    "standings",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("standing", Text, nullable=False),
    Column("fail_streak", SmallInteger, nullable=False),
    Column("ok_streak", SmallInteger, nullable=False),
    Column("first_fail_at", BigInteger),
    Column("first_ok_at", BigInteger),
)

monitor_states = Table(
    "monitor_states",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("health", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_since", BigInteger, nullable=False),
    Column("state_seq", Integer, nullable=False),
    # Votes count only when they are younger: pause, resume and unknown make every streak start anew.
    Column("votes_from", BigInteger, nullable=False),
    # How often it went into or out of `down` of late: the score at an instant, from where on it halves by itself.
    Column("flap_score", Double, nullable=False),
    Column("flap_score_at", BigInteger, nullable=False),
    Column("flapping_since", BigInteger),
    # The maintenance window that the state is due to, and whether it went down in one of which nobody was told.
    Column("window_id", Text),
    Column("untold", Boolean, nullable=False, server_default=text("false")),
)

transitions = Table(
    "transitions",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("state_seq", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("previous_state", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("previous_health", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("first_observed_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: the votes and failures that led to it
    Column("incident_id", Text),
    Column("window_id", Text),
)

# The truth for uptime: what was decided, back-dated to where it began, or paused. The open one has no end.
state_intervals = Table(
    "state_intervals",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger),
    Column("state", Text, nullable=False),
)

# Stretches that a region did not see; where too few saw, time is unknown in the sums, whatever the state was.
unseen_spans = Table(
    "unseen_spans",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
)

# Regions whose newest result with a verdict came too late to vote: which slots did count, and voted. Without a row both
# are those of that result.
late_sights = Table(
    "late_sights",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("counted_at", BigInteger),
    Column("voted_at", BigInteger),
)

# What results that came late tell of time that nobody had seen; it holds nowhere else. Made anew from the raw results
# of its stretch whenever one more of them comes.
late_intervals = Table(
    "late_intervals",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

# Monitors with late results in [from_at, until_at) that history has not been read from yet, or has to be once more.
late_marks = Table(
    "late_marks",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True, autoincrement=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("settled_at", BigInteger, nullable=False),
)
