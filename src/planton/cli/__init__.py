"""The command line: each module is a command, and nothing else may import a command-line framework."""
