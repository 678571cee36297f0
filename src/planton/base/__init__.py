"""Safe handling of external data: terminal output, HTTP requests, and functions with limited memory."""
