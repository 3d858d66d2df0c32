"""See on your own device how CPU contention stretches the tail of neural-network inference."""

__version__ = "0.1.0"
