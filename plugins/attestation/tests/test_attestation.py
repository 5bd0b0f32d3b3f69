"""Instances of a client authenticate by an attestation of their key, wherever clients authenticate."""


def test_an_instance_authenticates(ask, instance):
    answer = ask(instance.headers())
    assert answer.status_code == 200, answer.text
    assert answer.json["token_type"] == "Bearer"
