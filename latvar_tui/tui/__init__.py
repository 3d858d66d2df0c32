"""The screen: widgets that turn the board into text. No measuring, statistics or file logic."""
