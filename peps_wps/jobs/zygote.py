"""Imported first by the process that jobs are forked from, to warm it up.

A failure here must not keep jobs from running: what is not warm is loaded by each job itself, where
it can say what is wrong.
"""

import logging

from peps_wps.jobs.warm import warm_up

try:
    warm_up()
except Exception:
    logging.getLogger(__name__).exception("the process that jobs start from is not warm")
