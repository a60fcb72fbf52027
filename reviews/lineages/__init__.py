"""Lineages: checkpoints, what they received, and what probes show of them."""
