"""StatusPulse watches targets and jobs, tells the truth about them, and gets the right person to act."""

__version__ = "0.1.0"
