"""Pictures of the program, made by programs."""
