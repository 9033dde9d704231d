"""WPS over the job table: PyWPS as protocol layer, everything that runs is ours."""
