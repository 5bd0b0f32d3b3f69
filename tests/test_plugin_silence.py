"""A plugin that nobody would hear of: a class in a module, a function without its mark, a file without a hook."""

import re
import sys
from itertools import count

import pytest
from hosting import discovering

from portula import Plugin
from portula.errors import BrokenPlugin

CLASS = """
from portula import Plugin
from portula.plugin import HashGenerator

class Ids(HashGenerator):
    def hash(self):
        return "{name}"

class {name}(Plugin):
    def portula_client_id_generator(self, provider):
        return Ids()
"""
UNMARKED = """
def portula_metadata(provider):
    return {"tea": True}
"""
MARKED = """
from portula import hookimpl

@hookimpl
def portula_demo(provider):
    return {}
"""

_numbers = count()


@pytest.fixture(params=["file", "installed"])
def start(request, tmp_path, monkeypatch):
    """Return a function that starts a provider with this code as the plugin `shop`: a file, or a distribution."""
    module = f"silent_plugin_{next(_numbers)}"

    def start(code):
        if request.param == "file":
            (tmp_path / "shop.py").write_text(code)
            return discovering(PLUGINS_DIR=str(tmp_path))
        info = tmp_path / "shop_ids-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-ids\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[portula]\nshop = {module}\n")
        (tmp_path / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        return discovering()

    yield start
    sys.modules.pop(module, None)


def test_the_one_plugin_class_of_a_module_is_the_plugin(start):
    provider = start(CLASS.format(name="Shop"))
    assert provider.plugins.hooks_of("shop") == ["portula_client_id_generator"]
    assert provider.hooks.ruling(Plugin.portula_client_id_generator).answer.hash() == "Shop"


def test_a_method_that_is_not_marked_is_refused_of_an_object_that_the_application_gives_too():
    class Shop:
        def portula_metadata(self, provider):
            return {"tea": True}

    told = "plugin 'Shop': portula_metadata is not marked, so nobody calls it; mark it with @hookimpl"
    for given in (Shop(), Shop):
        with pytest.raises(BrokenPlugin, match=re.escape(told)):
            discovering(given)


def test_an_object_that_the_application_gives_may_implement_no_hook():
    assert discovering(object()).plugins.hooks_of("object") == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (UNMARKED, "portula_metadata is not marked, so nobody calls it; mark it with @hookimpl"),
        (MARKED + UNMARKED, "portula_metadata is not marked"),
        (
            CLASS.format(name="Shop") + CLASS.format(name="Stall"),
            "it has several classes of plugins, Shop, Stall,",
        ),
        ("from portula import Plugin\n\nclass Shop(Plugin):\n    pass\n", "it implements no hook"),
        ("TEA = 1\n", "it implements no hook; derive a class from portula.Plugin"),
    ],
    ids=["unmarked", "one unmarked", "two classes", "empty class", "nothing"],
)
def test_what_would_take_part_without_a_hook_is_refused_by_name(start, code, told):
    with pytest.raises(BrokenPlugin, match=f"plugin 'shop'.*: {re.escape(told)}"):
        start(code)
