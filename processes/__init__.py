"""One WPS process a module: identifier, inputs, outputs; nothing computed here."""
