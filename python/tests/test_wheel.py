"""The wheel, as it is installed: alone, and beside the runtime."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]
USE = (
    "import sys; from flowmason_core.secrets import SecretsManager, run, attach; "
    "from flowmason_core.secrets.testing import FakeSecrets; import flowmason_core; "
    "print(repr(FakeSecrets()), bool(flowmason_core.__file__), sorted({'pytest', 'boto3'} & set(sys.modules)))"
)


def pip(python: Path | str, *args: str | Path) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *args]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, FOLDER)
    return next(folder.glob("*.whl"))


def test_it_holds_our_package_and_nothing_of_the_runtimes(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    ours = [name for name in names if not name.startswith("flowmason_secrets-")]
    assert ours
    assert all(name.startswith("flowmason_core/secrets/") for name in ours)
    assert "flowmason_core/secrets/py.typed" in ours


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside flowmason"])
def test_it_is_imported_from_an_empty_environment(wheel: Path, tmp_path: Path, beside: bool) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)
    python = tmp_path / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip(python, "install", wheel, *(["flowmason==1.0.24"] if beside else []))
    used = subprocess.run([python, "-I", "-c", USE], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert used.stdout.split(maxsplit=1)[0] == "SecretsManager(****)"
    assert used.stdout.split(maxsplit=1)[1].strip() == f"{beside} []"
    if beside:
        pip(python, "uninstall", "--yes", "flowmason-secrets")
        subprocess.run([python, "-I", "-c", "import flowmason_core"], check=True, cwd=tmp_path)
