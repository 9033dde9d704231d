"""What is made of several dates or polarisations of one tile: means of months, ratios, colours."""
