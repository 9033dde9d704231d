"""The recipes: one a processing, each plan, run and gather."""
