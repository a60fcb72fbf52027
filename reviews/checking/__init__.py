"""The six cautions as gates: what a draft would send out, measured and held against the policy."""
