from heat.backend import Heat


def test_it_has_a_name() -> None:
    assert Heat().name == "heat"
