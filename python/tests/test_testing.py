"""`FakeSecrets` and the pytest plugin."""

from __future__ import annotations

import pytest

from flowmason_core.secrets import AccessDenied, SecretNotFound, Unavailable
from flowmason_core.secrets.testing import FakeSecrets

pytest_plugins = ["pytester"]


@pytest.mark.anyio
async def test_a_fake_behaves_as_the_real_one() -> None:
    secrets = FakeSecrets({"openai_api_key": "sk-test-1234567890", "db": '{"port": 5432, "hosts": ["a"]}'})
    assert await secrets.get("openai_api_key") == "sk-test-1234567890"
    assert await secrets.exists("db")
    assert not await secrets.exists("nothing")
    assert [each["name"] for each in await secrets.list()] == ["db", "openai_api_key"]
    config = {"p": "{{secrets.db.port}}", "t": "x{{secrets.db.port}}{{secrets.db.hosts.0}}", "i": "{{input.x}}"}
    assert await secrets.resolve(config) == {"p": 5432, "t": "x5432a", "i": "{{input.x}}"}
    with pytest.raises(SecretNotFound) as missing:
        await secrets.resolve({"a": ["{{secrets.openai_api_kye}}"]})
    assert missing.value.paths == ("$.a[0]",)
    assert missing.value.nearest == {"openai_api_kye": "openai_api_key"}
    with pytest.raises(SecretNotFound):
        await secrets.get("db", version=2)
    with pytest.raises(SecretNotFound) as pending:
        await secrets.resolve("{{secrets.db@pending}}")
    assert pending.value.references[0].code == "no_pending_version"
    secrets.rotate("openai_api_key", "sk-test-abcdefghij")
    assert await secrets.get("openai_api_key") == "sk-test-1234567890"
    assert await secrets.get("openai_api_key", version="previous") == "sk-test-1234567890"
    secrets.deny()
    with pytest.raises(AccessDenied):
        await secrets.get("db")
    secrets.deny(False)
    assert await secrets.get("openai_api_key") == "sk-test-abcdefghij"
    secrets.fail()
    with pytest.raises(Unavailable):
        await secrets.get("db")
    assert secrets.requests == 12
    assert "sk-test" not in repr(secrets)


@pytest.mark.anyio
async def test_a_fake_of_bytes() -> None:
    secrets = FakeSecrets({"der": b"\xff\x00 some bytes", "text": "some text"})
    assert await secrets.get_bytes("der") == b"\xff\x00 some bytes"
    assert await secrets.get("der") == "/wAgc29tZSBieXRlcw=="
    assert await secrets.get_bytes("text") == b"some text"
    filled = await secrets.resolve({"a": ["{{secrets.der}}", "x {{secrets.text}}"]})
    assert filled == {"a": ["/wAgc29tZSBieXRlcw==", "x some text"]}
    assert secrets.redactor.redact("ff0020736f6d65206279746573") == "****...****"


def test_the_fixture_fails_a_test_that_prints_a_value(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import base64, logging, os, sys
        import pytest

        @pytest.fixture
        def secrets(fake_secrets):
            fake_secrets.set("key", "s3cr3t-" + "value")
            return fake_secrets

        KEY = "s3cr3t-" + "value"

        def test_quiet(secrets, no_secrets_printed):
            print("nothing", "s3cr3t")

        def test_prints(secrets, no_secrets_printed):
            print("the key is", KEY)

        def test_in_pieces(secrets, no_secrets_printed):
            sys.stderr.write(KEY[:5])
            sys.stderr.write(KEY[5:])

        def test_encoded(secrets, no_secrets_printed):
            print(base64.b64encode(KEY.encode()).decode())

        def test_with_capsys(secrets, no_secrets_printed, capsys):
            print(KEY)
            capsys.readouterr()

        def test_logs(secrets, no_secrets_printed):
            logging.getLogger("x").debug("got %s", KEY)
            logging.getLogger("x").warning("got", extra={"key": KEY})

        def test_file_descriptor(secrets, no_secrets_printed):
            os.write(1, KEY.encode())

        def test_added(no_secrets_printed):
            no_secrets_printed.add("another-" + "value")
            print("another-" + "value")

        def test_fails(secrets, no_secrets_printed):
            found = KEY
            assert found == "something else"

        def test_without_the_fixture(secrets):
            print(KEY)
        """
    )
    result = pytester.runpytest_subprocess("-rA", "-p", "no:cacheprovider")
    outcome = result.parseoutcomes()
    assert (outcome["passed"], outcome["failed"]) == (2, 8)
    shown = result.stdout.str()
    assert "The test printed the value of a secret" in shown
    # The report of the test without the fixture is its own affair.
    assert shown.count("s3cr3t-value") == 1
    assert "another-value" not in shown
