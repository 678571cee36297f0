"""The stand-in for the official ``gcp`` plugin."""
