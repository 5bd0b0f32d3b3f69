"""The examples in this room's hooks run and take part."""

import inspect
import textwrap

import pytest

from portula import Plugin
from portula.errors import AccessDeniedError
from portula.plugin import HookKind
from portula_admin.access import may_enter
from portula_admin.hooks import AdminHooks
from portula_admin.site import DEFAULTS

VETO = "portula_validate_admin_request"
SLOTS = [name for name in vars(AdminHooks) if name.startswith("portula_") and name != VETO]


def example_of(hook):
    """Return an object of the class in a specification's example."""
    text = inspect.getdoc(getattr(AdminHooks, hook)).partition("Example:\n")[2]
    namespace = {"__name__": "example", "Plugin": Plugin, "AccessDeniedError": AccessDeniedError}
    exec(textwrap.dedent(text), namespace)
    return namespace["Room"]()


@pytest.mark.parametrize("hook", SLOTS)
def test_the_example_of_a_hook_wins_its_slot(make, hook):
    admin = make(example_of(hook))
    ruling = admin.provider.hooks.ruling(getattr(AdminHooks, hook))
    assert ruling.winner.name == "Room"
    if hook == "portula_admin_access":
        with admin.provider.app.test_request_context():
            assert may_enter(admin.provider, admin.login.current())
    else:
        assert issubclass(ruling.answer, DEFAULTS[hook.removeprefix("portula_").removesuffix("_admin_class")])


def test_the_example_of_the_veto_denies_the_keys_of_somebody_elses(make):
    room = example_of(VETO)
    make(room).get("/")
    with pytest.raises(AccessDeniedError):
        room.portula_validate_admin_request(
            type("Request", (), {"kind": "keys", "person": type("Person", (), {"subject": "bob"})})
        )


@pytest.mark.parametrize("hook", [*SLOTS, VETO])
def test_every_hook_is_known_to_decide(make, hook):
    facts = make().provider.plugins.facts(hook)
    assert facts.kind is (HookKind.VETO if hook == VETO else HookKind.SLOT)
    assert facts.hook_class == "decides"
    has_setting = hook not in ("portula_admin_access", VETO)
    assert facts.setting == (hook.removeprefix("portula_").upper() if has_setting else None)
