"""What every language must agree on: manifests, stack inputs and bodies of the API, with their JSON, bytes and verdicts.

``tests/vectors/README.md`` says what stands in the files. They are made from the corpus of manifests and the tables of bodies, so that
what has a test here has one in every language.
"""

from __future__ import annotations

import base64
import collections
import functools
import json
import pathlib
from typing import TYPE_CHECKING, Any

import protovalidate
import yaml
from google.protobuf import descriptor_pool, json_format, message_factory

from planton import manifest
from planton.schema import kinds
from planton_server.http import examples
from planton_server.service import routes
from support import api_bodies, corpus, mocks, yaml12

if TYPE_CHECKING:
    from google.protobuf import message

#: What a provider config must not be, and the field and the rule that say so; `PROVIDER` is the provider's own.
BROKEN_CONFIGS: tuple[tuple[dict[str, Any], tuple[str, str]], ...] = (
    ({"apiToken": ""}, ("provider_config.api_token", "required")),
    ({"defaultRegion": 0}, ("provider_config.default_region", "required")),
    ({"defaultRegion": 99}, ("provider_config.default_region", "enum.defined_only")),
    ({"apiEndpoint": "x"}, ("provider_config.api_endpoint", "PROVIDER_provider_config.api_endpoint_is_url")),
)
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors"


@functools.cache
def message_class(name: str) -> Any:  # a class of messages
    """Returns the class of a vector's message."""
    for kind in kinds.all_kinds():
        _ = kind.message, kind.stack_input  # loads the types, which are found by name
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def manifests() -> list[dict[str, Any]]:
    """Returns the corpus of manifests, less those where the text and not the data is wrong."""
    made = []
    for path in sorted([*corpus.KINDS.glob("*/*/*.yaml"), *corpus.KINDS.glob("*/valid/*.json")]):
        if path.name.endswith(".golden.yaml"):
            continue
        name = path.relative_to(corpus.KINDS).with_suffix("").as_posix()
        documents, wrong = manifest.read(path.read_bytes(), file=path.name)
        if wrong and not path.name.startswith("yaml."):
            made += _unreadable(name, path.read_bytes())
        elif len(documents) == 1 and not wrong:
            [document] = documents
            beyond = {one.rule_id for one in manifest.check(document)} - {one["rule"] for one in _verdict(document.message)}
            text = path.read_bytes().decode("utf-8-sig")
            made.append({"name": name, "yaml": text, **_vector(document.message), "planton": sorted(beyond)})
    return made


def _unreadable(name: str, data: bytes) -> list[dict[str, Any]]:
    """Returns the vector of a text that no message can be made of, where its data and not its form is why."""
    try:
        [content] = yaml12.documents(data)
        kind = kinds.find(content["kind"])
        assert kind is not None
        json_format.ParseDict(content, kind.message())
    except json_format.ParseError:
        return [
            {"name": name, "yaml": data.decode("utf-8-sig"), "message": kind.message.DESCRIPTOR.full_name, "unreadable": True}
        ]
    except (AssertionError, KeyError, TypeError, ValueError, yaml.YAMLError):
        pass  # it is no text, no mapping, or of no kind: nothing that Protobuf has a say in
    return []


def stack_inputs() -> list[dict[str, Any]]:
    """Returns a stack input for every manifest whose plan is recorded, and those that break a rule; JSON is the content of its file."""
    made = []
    for path in corpus.plan_manifests():
        built = mocks.stack_input(corpus.read(path))
        made.append({"name": path.relative_to(corpus.KINDS).with_suffix("").as_posix(), **_vector(built)})
    for kind, provider in (("CivoVpc", "civo"), ("DigitalOceanVpc", "digital_ocean")):
        target = corpus.read(corpus.KINDS / kind / "plan" / "minimal.yaml")
        for config, (field, rule) in BROKEN_CONFIGS:
            name = f"{kind}/broken/{field}/{rule.replace('PROVIDER', provider)}"
            made.append({"name": name, **_vector(mocks.stack_input(target, **config))})
        target.ClearField("spec")
        made.append({"name": f"{kind}/broken/target.spec/required", **_vector(mocks.stack_input(target))})
    return made


def bodies() -> list[dict[str, Any]]:
    """Returns the bodies of the API that its examples and the tests of its rules know, and requests that break what no body can."""
    bodies_of = {route.method: route.request.DESCRIPTOR.fields_by_name[route.body] for route in routes.routes() if route.body}
    known = [
        *((name, f"example/{title}", body) for name, shown in examples.BODIES.items() for title, body in shown.items()),
        *(("NewNodePool", f"good/{number}", body) for number, body in enumerate(api_bodies.GOOD, start=1)),
        *(
            (bodies_of[method].message_type.name, f"broken/{field or 'body'}/{rule}", body)
            for method, body, (field, rule) in api_bodies.BROKEN
        ),
        *((name, f"broken/{field or 'body'}/{rule}", body) for name, body, (field, rule) in api_bodies.REQUESTS),
    ]
    types = {field.message_type.name: field.message_type for field in bodies_of.values()}
    types |= {route.request.DESCRIPTOR.name: route.request.DESCRIPTOR for route in routes.routes()}
    made = []
    for (name, title, body), number in zip(known, _numbers(known), strict=True):
        value = json_format.ParseDict(body, message_factory.GetMessageClass(types[name])())
        made.append({"name": f"{name}/{title}{number}", **_vector(value)})
    return made


def _numbers(known: list[tuple[str, str, Any]]) -> list[str]:
    """Returns what tells apart those of one name: nothing for the first, then `#2`, `#3` …"""
    seen: collections.Counter[tuple[str, str]] = collections.Counter()
    numbers = []
    for name, title, _ in known:
        seen[name, title] += 1
        numbers.append("" if seen[name, title] == 1 else f"#{seen[name, title]}")
    return numbers


def _vector(value: message.Message) -> dict[str, Any]:
    """Returns what holds of a message in every language."""
    return {
        "message": value.DESCRIPTOR.full_name,
        # In order, for the keys of a map have none.
        "json": json.loads(json.dumps(json_format.MessageToDict(value), sort_keys=True)),
        "binary": base64.b64encode(value.SerializeToString(deterministic=True)).decode("ascii"),
        "violations": _verdict(value),
    }


def _verdict(value: message.Message) -> list[dict[str, str]]:
    """Returns the rules of the schema that a message breaks, by field path and id, as protovalidate writes them."""
    found = protovalidate.collect_violations(value)
    return sorted(
        ({"field": _path(one.proto.field), "rule": one.proto.rule_id} for one in found),
        key=lambda one: (one["field"], one["rule"]),
    )


def _path(field: Any) -> str:  # protovalidate's FieldPath
    path = ""
    for element in field.elements if field else ():
        path += ("." if path else "") + element.field_name
        if element.subscript is not None:
            key = element.subscript.value
            path += f"[{json.dumps(key, ensure_ascii=False) if isinstance(key, str) else str(key).lower()}]"
    return path


MADE = {"manifests": manifests, "stack_inputs": stack_inputs, "api_bodies": bodies}


def text(vectors: list[dict[str, Any]]) -> str:
    """Returns the content of a file of vectors, one vector on a line, which keeps differences readable."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    return f"[\n{lines}\n]\n"
