"""Tell whether the files in dist/ can be published: `check_dists.py [--release]`.

twine judges the metadata and whether the README renders, check-wheel-contents what lies in the wheels. With --release,
addresses that lead nowhere are refused too: the manifests have such until the repository has a public address.
"""

import argparse
import subprocess
import sys

from dists import ROOT, folders, project

DIST = ROOT / "dist"
NOWHERE = ".example/"


def run(*command: object) -> bool:
    """Run a tool of this environment, whose output is shown, and tell whether it is content."""
    return subprocess.run([sys.executable, "-m", *map(str, command)], check=False).returncode == 0


def dead_addresses() -> list[str]:
    """Return the project URLs on hosts that RFC 2606 reserves for examples."""
    urls = project(ROOT)["urls"]
    return [f"{label}: {url}" for label, url in urls.items() if NOWHERE in url]


def main() -> None:
    """Run all checks; fail if one does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", action="store_true", help="refuse addresses that lead nowhere")
    release = parser.parse_args().release
    wheels, sdists = sorted(DIST.glob("*.whl")), sorted(DIST.glob("*.tar.gz"))
    if not len(wheels) == len(sdists) == len(folders()):
        sys.exit(
            f"dist/ has {len(wheels)} wheels and {len(sdists)} sdists of {len(folders())}; run `make dist`"
        )
    meta = [path for path in wheels if path.name.startswith("portula-")]
    good = [
        run("twine", "check", "--strict", *sdists, *wheels),
        run("check_wheel_contents", *(path for path in wheels if path not in meta)),
        run("check_wheel_contents", "--ignore", "W007,W008", *meta),  # it holds metadata alone
    ]
    if release and (dead := dead_addresses()):
        sys.exit("These addresses in pyproject.toml lead nowhere:\n" + "\n".join(dead))
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
