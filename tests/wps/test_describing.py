"""Capabilities and descriptions say what is offered, as the schemas want it."""

import pytest

from tests.wps.stand_in import NAMES, document

BASE = "/resto/wps?service=WPS&version=1.0.0"


@pytest.mark.wps100
def test_capabilities_are_valid_and_list_the_processes(client, wps_schema):
    root = document(client.get("/wps?service=WPS&request=GetCapabilities"))

    wps_schema.assertValid(root)
    listed = root.xpath("wps:ProcessOfferings/wps:Process/ows:Identifier/text()", namespaces=NAMES)
    assert listed == ["FULL_MAJA", "ECHO"]
