"""Configuration: settings, contexts, credentials, and the folders where data is kept."""
