"""From results to decisions: intake, evaluation, one transaction, incidents, rollups."""
