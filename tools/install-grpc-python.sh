#!/bin/sh
# Puts gRPC for Python (grpcio and protobuf from PyPI) at .cache/grpc-python, for the interop tests. The one place that pins their versions.
set -eu
PACKAGES="grpcio==1.85.3 protobuf==7.36.2 typing_extensions==4.16.0"
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=$root/.cache/grpc-python
python=$(python3 -c 'import sys; print(sys.implementation.cache_tag)' 2>/dev/null) || { echo "serin: python3 with pip is needed for gRPC's Python" >&2; exit 1; }
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$python $PACKAGES" ]; then exit 0; fi
echo "Fetching gRPC for Python from PyPI …"
rm -rf "$target"
mkdir -p "$target"
# shellcheck disable=SC2086 # one word each
python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --root-user-action=ignore --target "$target" $PACKAGES
PYTHONPATH=$target python3 -c 'import grpc, google.protobuf'
echo "$python $PACKAGES" > "$target/VERSION"
