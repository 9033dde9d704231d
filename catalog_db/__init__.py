"""The only package that writes SQL: products, search, recalls, jobs, migrations."""
