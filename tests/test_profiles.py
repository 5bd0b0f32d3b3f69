"""Profiles as any plugin contributes them: defaults, floors, needs, clients; for the server and for single clients."""

import pytest
from pydantic import BaseModel
from security.house import House

from portula import Plugin
from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import Floor, Profile, ProfileViolation, RequiredSetting, report


class Kettle(BaseModel):
    TEA_HEAT: int = 90
    TEA_SORTS: tuple[str, ...] = ("green", "black")
    TEA_LID: bool = True


class Tea(Plugin):
    """Two profiles that agree about the heat, and about nothing else."""

    def portula_settings(self, provider):
        return [Kettle]

    def portula_profiles(self, provider):
        def named(application):
            if not application.name:
                yield ProfileViolation(field="client_name", value="''", allowed="any name")

        heat = Floor.at_most("TEA_HEAT", 80, 70)
        sorts = Floor.among("TEA_SORTS", ("green",), lambda value: ("green",) if value("TEA_LID") else ())
        absent = Floor.exactly("TEA_ABSENT", True)
        lid = RequiredSetting(text="a lid", settings=("TEA_ABSENT", "TEA_LID"))
        return [
            Profile(name="mild", floors=(heat, sorts, absent), needs=(lid,), client=named),
            Profile(name="cold", floors=(Floor.at_most("TEA_HEAT", 20, 10),)),
            Profile(name="open", floors=(Floor.exactly("TEA_LID", False),)),
        ]


def values(house):
    settings = house.provider.settings(Kettle)
    return settings.TEA_HEAT, settings.TEA_SORTS, settings.TEA_LID


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (None, (90, ("green", "black"), True)),
        ("mild", (70, ("green",), True)),
        (["mild"], (70, ("green",), True)),
        (["mild", "cold"], (10, ("green",), True)),
        (["cold", "mild"], (10, ("green",), True)),
    ],
)
def test_a_profile_changes_defaults(profile, expected):
    assert values(House(Tea(), PROFILE=profile)) == expected


def test_what_is_set_and_allowed_stays():
    assert values(House(Tea(), PROFILE="mild", TEA_HEAT=60))[0] == 60


def test_reports_say_where_a_value_comes_from():
    house = House(Tea(), PROFILE="mild", TEA_SORTS=["green"])
    rows = {row["name"]: row for row in report.settings(house.provider)}
    assert rows["TEA_HEAT"]["source"] == "profile mild"
    assert rows["TEA_HEAT"]["value"] == rows["TEA_HEAT"]["default"] == "70"
    assert rows["TEA_SORTS"]["source"] == "configured"
    assert rows["TEA_LID"]["source"] == "default"


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (
            {"PROFILE": "mild", "TEA_HEAT": 90, "TEA_SORTS": ["black"]},
            [
                "TEA_HEAT: 90 is not allowed; allowed: a number up to 80; profile mild",
                "TEA_SORTS: ('black',) is not allowed; allowed: only green; profile mild",
            ],
        ),
        ({"PROFILE": ["mild", "open"]}, ["PROFILE: mild without a lid is not allowed", "profile mild"]),
        ({"PROFILE": "mildd"}, ["PROFILE: no installed plugin has the profile 'mildd'", "mild"]),
        ({"PROFILE": 3}, ["PROFILE"]),
        ({"PROFILE": [["mild"]]}, ["PROFILE"]),
        ({"PROFILE": "mild", "TEA_HEAT": "hot", "TEA_SORTS": ["red"]}, ["TEA_HEAT"]),
    ],
)
def test_contradictions_are_told_together_at_start(settings, lines):
    with pytest.raises(ConfigError) as caught:
        House(Tea(), **settings)
    for line in lines:
        assert line in str(caught.value)


def test_a_client_is_held_to_the_profiles_of_the_server():
    house = House(Tea(), PROFILE="mild")
    with pytest.raises(InvalidClientMetadata, match=r"client_name: .* is not allowed.*profile mild"):
        house.client(name="")


def test_a_client_is_held_to_a_profile_of_its_own():
    house = House(Tea())
    plain, mild = house.client(name=""), house.client(metadata={"profile": "mild"})
    found = {
        name: house.provider.settings(Kettle, client and house.find(client))
        for name, client in (("server", None), ("plain", plain), ("mild", mild))
    }
    assert {name: settings.TEA_HEAT for name, settings in found.items()} == {
        "server": 90,
        "plain": 90,
        "mild": 70,
    }
    with pytest.raises(InvalidClientMetadata, match="client_name"):
        house.change(mild, name="")


def test_a_client_makes_nothing_less_strict():
    house = House(Tea(), PROFILE="cold")
    mild = house.client(metadata={"profile": "mild"})
    assert house.provider.settings(Kettle, house.find(mild)).TEA_HEAT == 10


def test_a_profile_of_a_client_needs_what_one_of_the_server_needs():
    house = House(Tea(), TEA_LID=False)
    with pytest.raises(InvalidClientMetadata, match="mild without a lid"):
        house.client(metadata={"profile": "mild"})
