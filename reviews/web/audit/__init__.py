"""The pages of the audit: pictures first, the table beneath, and under each the rows and the command that recompute it."""
