#!/bin/bash
# The tests with nothing left out: engines and browser too, and a skipped test counts as a failed one.
set -eu
cd "$(dirname "$0")/.."

if [ ! -f .services/env ]; then
    echo "No services are set up: run 'make services' first." >&2
    exit 1
fi
set -a
# shellcheck source=/dev/null
. .services/env
set +a

export PORTULA_TEST_ALL=1
export PYTHONPATH="tools${PYTHONPATH:+:$PYTHONPATH}"
exec .venv/bin/python -m pytest -m "" -p no_skips --durations=30 --durations-min=5 "$@"
