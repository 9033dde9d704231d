"""Users, their rights and tokens, and attempts to guess a password."""
