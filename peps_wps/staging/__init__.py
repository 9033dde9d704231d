"""Adapts catalog_db to storage's ledgers; transactions begin and end here."""
