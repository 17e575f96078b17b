"""StatusPulse watches HTTP, TCP and DNS targets and gets the right person to act."""

__version__ = "0.1.0"
