"""What sets the project up and checks it. Runs on the system's own Python, with its standard library alone."""
