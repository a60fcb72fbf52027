"""Sampled text made ready to be read: steps, Markdown with TeX, plain, raw, loops. Plain data in, HTML out, no Django.

Every fragment keeps one contract with the page. Text stands only in elements with `data-at="N"`, each of which holds
exactly one text node: the code points of the stored text from N on, nothing else. What cannot be its own source (a
formula, a NUL) is an atom: an element with `data-at` and `data-to`, standing for the stored text from one to the other.
"""
