"""Systems that hold incidents, too: one file each."""
