"""`portula try id_jag` sends what the exchange needs."""

from support.id_jag import CHAT, Chain

from portula_id_jag import portula_grant_trials
from portula_testing.jws import taken_apart


class Player:
    """A player of the playground, at the door of a house."""

    scope, resource = "read", ""

    def __init__(self, chain, **given):
        self.chain, self.require = chain, given.__getitem__

    def shorten(self, *names):
        assert names == ("subject_token",)

    def post(self, section, endpoint, **form):
        assert section.startswith("ID-JAG draft")
        assert endpoint == "token_endpoint"
        sent = {name: value for name, value in form.items() if value}
        self.answer = self.chain.door.token(self.chain.here, **sent)


def test_it_is_played_where_somebody_is_named():
    chain = Chain()
    ((grants, play),) = portula_grant_trials(chain.idp.provider).values()
    assert grants == ("urn:ietf:params:oauth:grant-type:token-exchange",)
    assert play.__doc__.startswith("An app gets an assertion")
    player = Player(chain, id_token=chain.id_token(), audience=CHAT)
    play(player)
    assert taken_apart(player.answer.json["access_token"])[1]["aud"] == CHAT
    assert portula_grant_trials(chain.chat.provider) == {}
