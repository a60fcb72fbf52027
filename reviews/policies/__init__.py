"""Policies: every line that one can draw, and the document that draws them."""
