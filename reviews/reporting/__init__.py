"""What the audit shows, for its pages and for the report that goes with a data set: figures, pictures, words."""
