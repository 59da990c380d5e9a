"""A TOML file, read once, checked whole: every fault of it is named together, each with its path. (The design's section 9.)"""

import tomllib
import types
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from controller.errors import BadConfig

S = TypeVar("S", bound=Struct)


def read(path: Path, into: type[S]) -> S:
    """The settings in the TOML file at `path`, as `into`.

    A struct may have a method `faults(self) -> Iterable[str]`, naming what its types cannot say
    (`"[siren] pin: 4; expected ..."`).
    Raises BadConfig with every fault of the file: a field that is missing, unknown, of the wrong type or out of range.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise BadConfig([f"{path}: no such file; expected a settings file; start from the one under config/"]) from fault
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadConfig([f"{path}: cannot be read as TOML ({fault}); correct that place"]) from fault
    return convert(data, into, str(path))


def convert(data: object, into: type[S], where: str) -> S:
    """`data` (as tomllib gives it) as `into`; `where` begins each fault's text. Raises BadConfig as `read` does."""
    faults = list(_faults(data, into, ()))
    if faults:
        raise BadConfig(f"{where}, {fault}" for fault in faults)
    try:
        value = msgspec.convert(data, into, strict=True, dec_hook=_path)
    except msgspec.ValidationError as fault:
        raise BadConfig([f"{where}: {fault}"]) from fault
    check = getattr(value, "faults", None)
    if check is not None:
        faults = list(check())
        if faults:
            raise BadConfig(f"{where}, {fault}" for fault in faults)
    return value


def _faults(data: object, into: Any, path: tuple[str, ...]) -> list[str]:  # noqa: ANN401 (a type of any form)
    """Every fault of `data` against the type `into`, each beginning with its place."""
    if isinstance(into, type) and issubclass(into, Struct) and isinstance(data, dict):
        return _struct_faults(data, into, path)
    origin, arguments = get_origin(into), get_args(into)
    if origin is Annotated:
        # First what is wrong within, each at its own place; then what the annotation asks of the whole.
        return _faults(data, arguments[0], path) or _leaf_faults(data, into, path)
    if origin in (Union, types.UnionType):
        structs = [a for a in arguments if isinstance(a, type) and issubclass(a, Struct)]
        if len(structs) == 1 and isinstance(data, dict):
            return _struct_faults(data, structs[0], path)
    if origin is dict and isinstance(data, dict):
        return [
            fault for key, value in data.items()
            for fault in (*_leaf_faults(key, arguments[0], (*path, key)), *_faults(value, arguments[1], (*path, key)))
        ]
    if origin in (list, tuple) and isinstance(data, list) and arguments:
        return [fault for n, value in enumerate(data, 1) for fault in _faults(value, arguments[0], (*path, f"#{n}"))]
    return _leaf_faults(data, into, path)


def _struct_faults(data: dict[str, object], into: type[Struct], path: tuple[str, ...]) -> list[str]:
    faults: list[str] = []
    tag_field = into.__struct_config__.tag_field
    known = {field.encode_name: field for field in msgspec.structs.fields(into)}
    faults += [
        f"{_place((*path, name))}: unknown; expected one of {', '.join(sorted(known))}; correct the name or remove it"
        for name in data if name not in known and name != tag_field
    ]
    for name, field in known.items():
        if name in data:
            faults += _faults(data[name], field.type, (*path, name))
        elif field.required:
            faults.append(f"{_place((*path, name))}: missing; expected {_expected(field.type)}; add it")
    return faults


def _leaf_faults(data: object, into: Any, path: tuple[str, ...]) -> list[str]:  # noqa: ANN401 (a type of any form)
    try:
        msgspec.convert(data, into, strict=True, dec_hook=_path)
    except msgspec.ValidationError as fault:
        return [f"{_place(path)}: found {data!r}; {str(fault).replace('Expected', 'expected')}; correct it"]
    return []


def _path(kind: type, value: Any) -> Any:  # noqa: ANN401 (msgspec's own signature)
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"settings of type {kind}")


def _place(path: tuple[str, ...]) -> str:
    *tables, name = path
    return f"[{'.'.join(tables)}] {name}" if tables else name


def _expected(kind: Any) -> str:  # noqa: ANN401 (a type of any form)
    if get_origin(kind) is Annotated:
        bare, *notes = get_args(kind)
        return next((note.description for note in notes if getattr(note, "description", None)), _expected(bare))
    return getattr(kind, "__name__", None) or str(kind).replace("typing.", "")
