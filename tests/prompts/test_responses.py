"""Whether an answer is what was asked for, and what is wrong with it."""

from __future__ import annotations

import pytest

from llmstack_tui.prompts import validate_response
from llmstack_tui.prompts.responses import language_of
from llmstack_tui.prompts.types import WrongArgument

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "people": {
            "type": "array",
            "items": {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]},
        }
    },
    "required": ["people"],
}
ENGLISH = "The house that stands on the hill was built by a family from the north of the country."
SPANISH = "La casa que está en la colina la construyó una familia del norte del país."


@pytest.mark.parametrize(
    "text",
    [
        '{"people": [{"age": 4}]}',
        '```json\n{"people": [{"age": 4}]}\n```',
        '\n```\n{"people": [{"age": 4}]}\n```\n',
    ],
)
def test_json_may_stand_in_a_block(text: str) -> None:
    found = validate_response(text, SCHEMA)
    assert found.is_valid
    assert found.value == {"people": [{"age": 4}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "At $: 'people' is a required property"),
        ('{"people": [{"age": 4}, {"age": "old"}]}', "At people[1].age: 'old' is not of type 'integer'"),
        ("Here it is: {}", "The answer is no JSON: Expecting value (line 1, column 1)."),
        ('{"people": [', "The answer is no JSON: Expecting value (line 1, column 13)."),
        ('{"people": NaN}', "The answer is no JSON: NaN is no number"),
        ("[" * 100_000, "The answer is no JSON: nested too deep"),
        ("9" * 10_000, "The answer is no JSON"),
        ("", "The answer is empty."),
        (" \n", "The answer is empty."),
    ],
)
def test_what_does_not_fit_the_schema(text: str, said: str) -> None:
    found = validate_response(text, SCHEMA)
    assert not found.is_valid
    assert found.reasons[0].startswith(said)


def test_all_problems_are_told_up_to_ten() -> None:
    many = '{"people": [' + ", ".join(["{}"] * 50) + "]}"
    assert len(validate_response(many, SCHEMA).reasons) == 10
    assert len(validate_response("{", SCHEMA, most_chars=1, language="en").reasons) == 1
    assert len(validate_response(SPANISH, SCHEMA, most_chars=5, language="en").reasons) == 3


def test_references_within_a_schema_are_followed() -> None:
    tree: dict[str, object] = {
        "$ref": "#/$defs/t",
        "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}},
    }
    assert validate_response("[[], [[]]]", tree).is_valid
    assert not validate_response("[[1]]", tree).is_valid


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "http://127.0.0.1:1/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/missing"},
        {"pattern": "("},
    ],
)
def test_a_schema_that_is_none_or_would_have_to_be_fetched(schema: dict[str, object]) -> None:
    with pytest.raises(WrongArgument, match="The JSON schema is wrong"):
        validate_response('"a"', schema)


def test_length() -> None:
    assert validate_response("ñandú", most_chars=5).is_valid
    assert validate_response("x" * 1200, most_chars=1000).reasons == (
        "The answer has 1,200 characters, and 1,000 are allowed.",
    )
    with pytest.raises(WrongArgument):
        validate_response("x", most_chars=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENGLISH, "en"),
        (SPANISH, "es"),
        (f"{SPANISH}\n```python\nfor the_house in that: is not with this from the\n```", "es"),
        ("```\nthe house is on the hill and that is it\n```", None),
        ("print", None),
        ("", None),
        ("Das Haus, das auf dem Hügel steht, wurde von einer Familie aus dem Norden gebaut.", None),
        ("家は丘の上にあります。", None),
    ],
)
def test_the_language_of_a_text(text: str, expected: str | None) -> None:
    assert language_of(text) == expected


def test_an_answer_in_the_other_language() -> None:
    assert validate_response(ENGLISH, language="en").is_valid
    assert validate_response(ENGLISH, language="es").reasons == ("The answer is in English, not in Spanish.",)
    with pytest.raises(WrongArgument, match="en and es, not for fr"):
        validate_response(ENGLISH, language="fr")
