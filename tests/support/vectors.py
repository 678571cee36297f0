"""The vectors that every language must agree on: manifests, stack inputs and bodies of the API, with JSON, bytes and violations.

``tests/vectors/README.md`` describes the files. They are generated from the corpus of manifests and the tables of bodies, so that
every case tested here is tested in every language.
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

#: An invalid provider config, and its field and rule; `PROVIDER` stands for the name of the provider.
BROKEN_CONFIGS: tuple[tuple[dict[str, Any], tuple[str, str]], ...] = (
    ({"apiToken": ""}, ("provider_config.api_token", "required")),
    ({"defaultRegion": 0}, ("provider_config.default_region", "required")),
    ({"defaultRegion": 99}, ("provider_config.default_region", "enum.defined_only")),
    ({"apiEndpoint": "x"}, ("provider_config.api_endpoint", "PROVIDER_provider_config.api_endpoint_is_url")),
)
#: The same for a cloud with another credential.
_KEY = "service_account_key_base64"
BROKEN_GCP_CONFIGS: tuple[tuple[dict[str, Any], tuple[str, str]], ...] = (
    ({_KEY: "x y"}, (f"provider_config.{_KEY}", "PROVIDER_provider_config.service_account_key_is_base64")),
    ({"apiEndpoint": "x"}, ("provider_config.api_endpoint", "PROVIDER_provider_config.api_endpoint_is_url")),
)
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors"


@functools.cache
def message_class(name: str) -> Any:  # a class of messages
    """Returns the class of a vector's message."""
    for kind in kinds.all_kinds():
        _ = kind.message, kind.stack_input  # loads the types, so that they can be found by name
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def manifests() -> list[dict[str, Any]]:
    """Returns the corpus of manifests, without files whose YAML is invalid."""
    vectors = []
    for path in sorted([*corpus.KINDS.glob("*/*/*.yaml"), *corpus.KINDS.glob("*/valid/*.json")]):
        if path.name.endswith(".golden.yaml"):
            continue
        name = path.relative_to(corpus.KINDS).with_suffix("").as_posix()
        documents, violations = manifest.read(path.read_bytes(), file=path.name)
        if violations and not path.name.startswith("yaml."):
            vectors += _unreadable(name, path.read_bytes())
        elif len(documents) == 1 and not violations:
            [document] = documents
            planton_rules = {violation.rule_id for violation in manifest.check(document)} - {
                violation["rule"] for violation in _violations(document.message)
            }
            text = path.read_bytes().decode("utf-8-sig")
            vectors.append({"name": name, "yaml": text, **_vector(document.message), "planton": sorted(planton_rules)})
    return vectors


def _unreadable(name: str, data: bytes) -> list[dict[str, Any]]:
    """Returns the vector of data that cannot be decoded into a message; none if the YAML itself is invalid."""
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
        pass  # it is no text, no mapping, or has no kind, so Protobuf does not apply
    return []


def stack_inputs() -> list[dict[str, Any]]:
    """Returns a stack input for every manifest with a recorded plan, and invalid ones; ``json`` is the content of the file."""
    vectors = []
    for path in corpus.plan_manifests():
        stack_input = mocks.stack_input(corpus.read(path))
        vectors.append({"name": path.relative_to(corpus.KINDS).with_suffix("").as_posix(), **_vector(stack_input)})
    for kind, provider, configs in (
        ("CivoVpc", "civo", BROKEN_CONFIGS),
        ("DigitalOceanVpc", "digital_ocean", BROKEN_CONFIGS),
        ("GcpGkeCluster", "gcp", BROKEN_GCP_CONFIGS),
    ):
        target = corpus.read(corpus.KINDS / kind / "plan" / "minimal.yaml")
        for config, (field, rule) in configs:
            name = f"{kind}/broken/{field}/{rule.replace('PROVIDER', provider)}"
            vectors.append({"name": name, **_vector(mocks.stack_input(target, **config))})
        target.ClearField("spec")
        vectors.append({"name": f"{kind}/broken/target.spec/required", **_vector(mocks.stack_input(target))})
    return vectors


def bodies() -> list[dict[str, Any]]:
    """Returns the bodies in the API's examples and in the tests of its rules, and requests with violations outside the body."""
    bodies_of = {route.method: route.request.DESCRIPTOR.fields_by_name[route.body] for route in routes.routes() if route.body}
    bodies_by_message = [
        *(
            (name, f"example/{title}", body)
            for name, examples_of_message in examples.BODIES.items()
            for title, body in examples_of_message.items()
        ),
        *(("NewNodePool", f"good/{number}", body) for number, body in enumerate(api_bodies.GOOD, start=1)),
        *(
            (bodies_of[method].message_type.name, f"broken/{field or 'body'}/{rule}", body)
            for method, body, (field, rule) in api_bodies.BROKEN
        ),
        *((name, f"broken/{field or 'body'}/{rule}", body) for name, body, (field, rule) in api_bodies.REQUESTS),
    ]
    types = {field.message_type.name: field.message_type for field in bodies_of.values()}
    types |= {route.request.DESCRIPTOR.name: route.request.DESCRIPTOR for route in routes.routes()}
    vectors = []
    for (name, title, body), number in zip(bodies_by_message, _numbers(bodies_by_message), strict=True):
        value = json_format.ParseDict(body, message_factory.GetMessageClass(types[name])())
        vectors.append({"name": f"{name}/{title}{number}", **_vector(value)})
    return vectors


def _numbers(bodies_by_message: list[tuple[str, str, Any]]) -> list[str]:
    """Returns a suffix for each repeated name: none for the first, then `#2`, `#3` …"""
    seen: collections.Counter[tuple[str, str]] = collections.Counter()
    numbers = []
    for name, title, _ in bodies_by_message:
        seen[name, title] += 1
        numbers.append("" if seen[name, title] == 1 else f"#{seen[name, title]}")
    return numbers


def _vector(value: message.Message) -> dict[str, Any]:
    """Returns the vector of a message, which is the same in every language."""
    return {
        "message": value.DESCRIPTOR.full_name,
        # Sorted, because the keys of a map have no order.
        "json": json.loads(json.dumps(json_format.MessageToDict(value), sort_keys=True)),
        "binary": base64.b64encode(value.SerializeToString(deterministic=True)).decode("ascii"),
        "violations": _violations(value),
    }


def _violations(value: message.Message) -> list[dict[str, str]]:
    """Returns the violations of a message by field path and rule ID, as protovalidate writes them."""
    violations = protovalidate.collect_violations(value)
    return sorted(
        ({"field": _path(violation.proto.field), "rule": violation.proto.rule_id} for violation in violations),
        key=lambda violation: (violation["field"], violation["rule"]),
    )


def _path(field: Any) -> str:  # protovalidate's FieldPath
    path = ""
    for element in field.elements if field else ():
        path += ("." if path else "") + element.field_name
        if element.subscript is not None:
            key = element.subscript.value
            path += f"[{json.dumps(key, ensure_ascii=False) if isinstance(key, str) else str(key).lower()}]"
    return path


GENERATORS = {"manifests": manifests, "stack_inputs": stack_inputs, "api_bodies": bodies}


def text(vectors: list[dict[str, Any]]) -> str:
    """Returns the content of a file of vectors, one vector per line for readable differences."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    return f"[\n{lines}\n]\n"
