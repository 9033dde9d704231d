"""The mirror: follows other archives (OData of the Copernicus Data Space) product by product.

`sources` says what is followed, `hub` speaks with it, `listing` notes what it announces,
`fetching` brings it here, `running` does both until told to stop, `report` and `reconciling` say
how far it is.
"""
