"""Scenes with known truth; shares no geometry or radiometry with what it checks."""
