"""The stand-in for the official DigitalOcean plugin."""
