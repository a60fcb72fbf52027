"""Pictures of numbers as SVG: pure, with classes instead of styles, so that a strict page may hold them."""
