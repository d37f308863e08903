#!/usr/bin/env bash
# Software: jsonschema-rs 0.60.3 (PyPI), beside jsonschema 4.26.0 (PyPI).
#
# Behaviour: a member whose name is the empty text, which JSON allows, is missing from the path of an error. For the
# document {"": {"n": "x"}}, whose n must be a number, jsonschema-rs gives the instance path ["n"], which is the path of
# another value, or of none; jsonschema gives ["", "n"]. The schema path and the value itself are right. Who looks the
# rejected value up by its path finds the wrong one, and has to take error.instance instead.
#
# Output seen:
#   jsonschema-rs ['n'] 'x'
#   jsonschema ['', 'n'] 'x'
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jsonschema-rs==0.60.3 jsonschema==4.26.0

seen=$("$folder/venv/bin/python" - <<'PYTHON'
import jsonschema
import jsonschema_rs

schema = {"additionalProperties": {"properties": {"n": {"type": "number"}}}}
document = {"": {"n": "x"}}
(error,) = jsonschema_rs.Draft202012Validator(schema).iter_errors(document)
print("jsonschema-rs", list(error.instance_path), repr(error.instance))
(error,) = jsonschema.Draft202012Validator(schema).iter_errors(document)
print("jsonschema", list(error.absolute_path), repr(error.instance))
PYTHON
)
echo "$seen"
[ "$seen" = "jsonschema-rs ['n'] 'x'
jsonschema ['', 'n'] 'x'" ] || { echo "This differs from what was seen."; exit 1; }
