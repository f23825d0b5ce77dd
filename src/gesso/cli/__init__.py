"""The command line: a flag, an exit code, a progress bar."""
