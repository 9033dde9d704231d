"""What operators watch: measurements of this process, figures of the installation, alerts."""

from peps_wps.metrics.search_meter import SearchMeter, class_of

__all__ = ["SearchMeter", "class_of"]
