"""What the live screen can show between its header and its slider: one small file a view, and their table.

Each view is a panel that is fed by the board and draws lines. One that is not shown is never asked to draw.
"""
