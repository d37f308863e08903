import re

from deployments.lookup import caseless


def test_a_caseless_pattern_is_the_text_in_any_case() -> None:
    text = r"a.b*[c]^$(d)\{e} ÄßİK-1"
    pattern = caseless(text)

    for variant in (text, text.lower().replace("i̇", "İ"), text.replace("ä", "Ä"), text.replace(" ", "\n\t ")):
        assert re.fullmatch(pattern, variant)
    assert not re.search(pattern, text.replace(".", "x"))
