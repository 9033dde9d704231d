"""What other archives announce, and how far each has been followed."""
