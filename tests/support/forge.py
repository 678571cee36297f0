"""A stand-in for GitHub's ``gh`` and GitLab's ``glab``, as a program: it keeps comments and issues in a file.

It knows the calls of the recipes in ops/ci, and refuses others.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys


def main(arguments):
    """Runs one call and returns its exit code."""
    file = pathlib.Path(os.environ["FORGE_STATE"])
    state = json.loads(file.read_text("utf-8"))
    name = pathlib.Path(sys.argv[0]).name
    words, options = _parsed(arguments)
    call = _CALLS.get((name, *words[:2])) or _CALLS.get((name, *words[:1]))
    if call is None:
        sys.exit(f"{name}: unexpected call: {arguments}")
    answer = call(state, words, options)
    file.write_text(json.dumps(state, indent=1), "utf-8")
    if answer is not None and "--silent" not in options:
        _print(answer, options.get("--jq"))
    return 0


def _parsed(arguments):
    words, options = [], {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("--paginate", "--silent", "--force"):
            options[word] = True
        elif word in ("-f", "-F"):
            key, _, value = rest.pop(0).partition("=")
            is_file = word == "-F" and value.startswith("@")
            options.setdefault("fields", {})[key] = pathlib.Path(value[1:]).read_text("utf-8") if is_file else value
        elif word.startswith("-"):
            options[word] = rest.pop(0)
        else:
            words.append(word)
    return words, options


def _print(answer, expression):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    if expression is None:
        sys.stdout.write(text)
    else:
        subprocess.run(["jq", "--raw-output", expression], input=text, text=True, check=True)


def _api(state, words, options):
    path = words[1].partition("?")[0]
    method = options.get("--method", "GET")
    if method == "GET" and path in state["fixed"]:
        return state["fixed"][path]
    if method == "GET" and path in state["files"]:
        return pathlib.Path(state["files"][path]).read_text("utf-8")
    if method == "GET":
        return state["lists"].get(path, [])
    if method == "POST":
        return _add(state, path, options["fields"])
    number = int(path.rpartition("/")[2])
    (item,) = [item for listed in state["lists"].values() for item in listed if item["id"] == number]
    item.update(options["fields"])
    return item


def _add(state, path, fields):
    state["last"] += 1
    item = {"id": state["last"], "iid": state["last"], "number": state["last"], **fields}
    state["lists"].setdefault(path, []).append(item)
    return item


def _issue(state, words, options):
    verb = words[1]
    if verb == "list":
        return state["lists"].get("issues", [])
    body = pathlib.Path(options["--body-file"]).read_text("utf-8")
    if verb == "create":
        _add(state, "issues", {"title": options["--title"], "body": body})
    else:
        (item,) = [item for item in state["lists"]["issues"] if item["id"] == int(words[2])]
        item["body"] = body
    return None


def _run_list(state, _words, options):
    return [{"databaseId": run} for run, sha in state["runs"].items() if sha == options["--commit"]]


def _run_download(state, words, options):
    shutil.copy(state["files"][f"{words[2]}/{options['--name']}"], "plan.json")


def _label(_state, _words, _options):
    return None


_CALLS = {
    ("gh", "api"): _api,
    ("glab", "api"): _api,
    ("gh", "issue"): _issue,
    ("gh", "label", "create"): _label,
    ("gh", "run", "list"): _run_list,
    ("gh", "run", "download"): _run_download,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
