"""The audit of a round: whether its labels can be trusted, by clause, domain, checkpoint, reader and time.

`rows` reads what was said; the other rooms turn it into figures, each with its denominator, interval and method.
"""
