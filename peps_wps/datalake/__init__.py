"""The datalake of the service: where results go to stay, who works on what, what consumers see."""
