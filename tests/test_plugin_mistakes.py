"""What the author of a plugin gets wrong is told at the start, or in the log: plugin, hook, and what is needed."""

import re

import pytest
from flask import Flask
from hosting import ROOMS, NobodyHere, make_provider
from pydantic import BaseModel

import portula_storage_sql
from portula import ConfigError, Plugin, Provider
from portula.errors import BrokenPlugin
from portula.plugin import AccessToken, Endpoint, RecordType


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (object, "what makes 'urn:tea' failed: TypeError: object() takes no arguments"),
        (lambda validator: validator.tea, "what makes 'urn:tea' failed: AttributeError: "),
        (lambda validator: {}, "what makes 'urn:tea' makes a dict; an instance of GrantType is needed"),
    ],
)
def test_what_makes_no_grant_type_is_named_with_its_plugin(make, told):
    class Tea(Plugin):
        def portula_grant_types(self, provider):
            return {"urn:tea": make}

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Tea())
    assert str(caught.value).startswith(f"plugin 'Tea': portula_grant_types: {told}")


def test_settings_that_nobody_contributes_are_named():
    class TeaSettings(BaseModel):
        TEA: str = "green"

    class Tea(Plugin):
        def portula_metadata(self, provider):
            return {"tea": provider.settings(TeaSettings).TEA}

    with pytest.raises(BrokenPlugin, match=r"TeaSettings is contributed by no plugin \(portula_settings\)"):
        make_provider(Tea())


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (RecordType("tea", dict, keys=("id",)), "record tea: dict is no dataclass"),
        (
            RecordType("tea", AccessToken, keys=()),
            "record tea: `keys` names no field; the first is the primary key",
        ),
    ],
)
def test_a_record_type_that_no_store_could_keep_is_named(record, told, tmp_path):
    class Teas(Plugin):
        def portula_records(self, provider):
            return [record]

    app = Flask("teas", instance_path=str(tmp_path))
    app.config.update(SECRET_KEY="0123456789abcdef")
    with pytest.raises(ConfigError, match=re.escape(told)):
        Provider(app, plugins=[*ROOMS, portula_storage_sql, NobodyHere(), Teas()], discover=False)


def test_a_class_that_is_no_record_is_named():
    with pytest.raises(
        LookupError, match=r"dict is of no record type that a plugin contributes \(portula_records\)"
    ):
        make_provider().storage.find(dict, id="tea")


def test_a_handler_that_answers_nothing_is_named_in_the_log(caplog):
    class Kettle(Plugin):
        def portula_endpoints(self, provider):
            return [Endpoint("kettle", "kettle/", ("POST",), lambda message: None)]

    answer = make_provider(Kettle()).app.test_client().post("/o/kettle/")
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
    assert "endpoint kettle failed" in caplog.text
    assert "its handler answers a NoneType; an instance of Answer is needed" in caplog.text


def test_a_plugin_that_cannot_be_made_is_named():
    class Kettle(Plugin):
        def __init__(self, degrees):
            self.degrees = degrees

    with pytest.raises(
        BrokenPlugin, match="plugin 'Kettle': its class, which is called without arguments, fails: Type"
    ):
        make_provider(Kettle)
