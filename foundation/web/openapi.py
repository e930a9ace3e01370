"""Describes the endpoints as OpenAPI 3.1, for programs and for people."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from foundation.web import api
from foundation.web.api import Endpoint

_REF = "#/components/schemas/{model}"


class Problem(BaseModel):
    """What went wrong (RFC 9457); `errors` lists each wrong field."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


def describe(
    endpoints: Sequence[Endpoint], *, title: str, version: str, url: str
) -> dict[str, Any]:
    """The OpenAPI document of `endpoints`."""
    models: list[type[BaseModel]] = list(
        dict.fromkeys(
            model for each in endpoints for model in (each.body, each.answer) if model is not None
        )
    )
    every: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in models
    ]
    names, definitions = models_json_schema([*every, (Problem, "validation")], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        schemas = {model: names[model, "validation"] for model in models}
        paths.setdefault(api.ROOT + each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    words = re.sub(r"[^a-z]+", "_", f"{endpoint.method}{endpoint.path}".lower()).strip("_")
    described: dict[str, Any] = {
        "operationId": words,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "description": f"Needs the scope `{endpoint.scope.value}`.",
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status if endpoint.answer else 204): _answer(endpoint, schemas),
            "default": {
                "description": "What went wrong",
                "content": {
                    "application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}
                },
            },
        },
    }
    if endpoint.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[endpoint.body]}},
        }
    return described


def _answer(endpoint: Endpoint, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    if endpoint.answer is None:
        return {"description": "Done"}
    return {
        "description": "Done",
        "content": {"application/json": {"schema": schemas[endpoint.answer]}},
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = [
        _parameter(name, "path", "", required=True)
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    if endpoint.is_list:
        found += [
            _parameter(
                "limit", "query", f"At most {api.MAX_LIMIT}; {api.DEFAULT_LIMIT} unless told"
            ),
            _parameter("after", "query", "The `next` of an earlier answer"),
        ]
    found += [_parameter(name, "query", words) for name, words in endpoint.query]
    if endpoint.method != "GET":
        found.append(
            _parameter("Idempotency-Key", "header", "A repeat with the same key acts only once")
        )
    return found


def _parameter(name: str, place: str, words: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": {"type": "string"},
        **({"description": words} if words else {}),
    }
