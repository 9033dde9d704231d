"""Lists of products: STAC item collections, answers of a resto search, tables (CSV).

Each record becomes a product of the catalogue, and the file that holds it where the list says so.
"""

from peps_wps.records.lists import ListError, RecordList, is_list
from peps_wps.records.record import Record, RecordError

__all__ = ["ListError", "Record", "RecordError", "RecordList", "is_list"]
