"""What may be concluded from frames: cells, quantiles, rankings."""
