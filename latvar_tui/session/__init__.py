"""What is kept: sessions recorded as they happen, read again, listed and exported."""
