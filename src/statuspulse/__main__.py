"""`python -m statuspulse` is `statuspulse`."""

from __future__ import annotations

from statuspulse.cli.main import main

if __name__ == "__main__":
    main()
