"""One process a module: identifier, inputs, outputs; nothing computed here."""

from processes.amalthee import Amalthee
from processes.echo import Echo
from processes.processing_status import ProcessingStatus, Status
from processes.s1_ortho import S1Ortho

PROCESSES = (S1Ortho, Amalthee, Echo, ProcessingStatus, Status)
