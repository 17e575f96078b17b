"""The kinds of monitors as people configure them: members, other names, what a target has to be; one kind a file."""
