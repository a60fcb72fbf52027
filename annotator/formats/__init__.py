"""How each language writes dates: templates name the format, and these say what it is."""
