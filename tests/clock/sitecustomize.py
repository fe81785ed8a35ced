"""Python imports this before anything else in the processes that tests start: they live on the
day of the tests too. tests/clock/__init__.py puts its directory on their path."""

import os
from datetime import datetime

import time_machine

time_machine.travel(datetime.fromisoformat(os.environ["TESTS_MOMENT"])).start()
