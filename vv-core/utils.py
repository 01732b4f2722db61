"""The six functions that the product's blueprint (section 7) promises, under their exact names."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vv_core.errors import ConfigError, SchemaViolation, VvError, from_oserror
from vv_core.jsonio import read_json

if TYPE_CHECKING:
    import jsonschema_rs

_CHUNK_BYTES = 1024 * 1024
_MAX_REPORTED = 3
_MAX_REPORTED_CHARS = 200


def compute_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, 64 lower-case hexadecimal digits.

    Raises:
        VvError: the file cannot be opened or read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as exc:
        raise from_oserror(exc, "read the content of", path) from exc
    return digest.hexdigest()


def load_schema(path: Path) -> dict[str, Any]:
    """Return a JSON Schema document.

    Raises:
        ConfigError: the file is absent, not JSON, or not an object.
    """
    try:
        schema = read_json(path)
    except VvError as exc:
        raise ConfigError(
            f"the schema {str(path)!r} cannot be loaded: {exc}",
            advice="Install the product again: its schemas are part of it.",
        ) from exc
    if not isinstance(schema, dict):
        raise ConfigError(
            f"the schema {str(path)!r} is not a JSON object",
            advice="Install the product again: its schemas are part of it.",
        )
    return schema


def validate_schema(data: Any, schema_path: Path) -> None:
    """Check a document against a JSON Schema 2020-12.

    References between schemas are resolved among the files of the schema's own folder.

    Raises:
        SchemaViolation: the document does not follow it; the message names where and why.
        ConfigError: the schema itself cannot be used.
    """
    validator = _validator(schema_path)
    try:
        problems = [
            f"{'/'.join(str(step) for step in error.instance_path) or 'top level'}: "
            f"{error.message[:_MAX_REPORTED_CHARS]}"
            for error in islice(validator.iter_errors(data), _MAX_REPORTED)
        ]
    except ValueError as exc:
        problems = [f"it has no JSON form: {exc}"]
    if problems:
        raise SchemaViolation(
            f"does not follow {schema_path.name}: {'; '.join(problems)}",
            advice="Remove the document; it is made again from its input on the next cycle.",
        )


@lru_cache(maxsize=16)
def _validator(schema_path: Path) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # verifiers run where it is not installed

    schema = load_schema(schema_path)
    folder = schema_path.parent

    def retrieve(uri: str) -> Any:
        return load_schema(folder / uri.rsplit("/", 1)[-1])

    try:
        return jsonschema_rs.Draft202012Validator(schema, retriever=retrieve)
    except (ValueError, jsonschema_rs.ReferencingError) as exc:
        raise ConfigError(
            f"the schema {str(schema_path)!r} is not a valid JSON Schema: {exc}",
            advice="Install the product again: its schemas are part of it.",
        ) from exc


def sign_payload(payload: bytes, secret: bytes) -> str:
    """Return the HMAC-SHA256 (RFC 2104) of ``payload``, 64 lower-case hexadecimal digits."""
    return hmac.digest(secret, payload, "sha256").hex()


def verify_signature(payload: bytes, secret: bytes, signature: str) -> bool:
    """Tell, in constant time, whether ``signature`` is what `sign_payload` gives."""
    expected = sign_payload(payload, secret).encode("ascii")
    return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))


def load_key_store(path: Path) -> dict[str, bytes]:
    """Return the signing keys of a key-store file, by key id.

    Raises:
        KeyAccessError: the file is absent, readable by others, or not a key store.
    """
    # Imported here: vv_core.audit stands on this module.
    from vv_core.audit.keys import read_key_store

    return dict(read_key_store(path).keys)
