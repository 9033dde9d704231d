"""One WPS process a module: identifier, inputs, outputs; nothing computed here."""

from processes.s1_ortho import S1Ortho

PROCESSES = (S1Ortho,)
