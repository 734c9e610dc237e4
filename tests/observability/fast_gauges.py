"""The service with gauges that are read twice a second, and not every 30: a minute is a second in these tests."""

from service.app import application as shipped
from service.web.telemetry import gauges

gauges.READ_EVERY_SECONDS = 0.5  # type: ignore[misc, assignment] # a constant but for these tests

application = shipped
