"""Documents of the agent protocol between probe and control plane."""
