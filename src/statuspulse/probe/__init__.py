"""Runs checks for one region: wheel, runner, spool, link to the control plane."""
