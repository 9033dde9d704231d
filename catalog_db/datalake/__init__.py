"""What the datalake holds and who is at work in it."""
