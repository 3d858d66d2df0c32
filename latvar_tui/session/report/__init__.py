"""A report: sessions as one HTML file without scripts or network, or as Markdown tables to paste."""
