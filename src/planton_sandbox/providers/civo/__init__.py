"""The stand-in for the official Civo plugin."""
