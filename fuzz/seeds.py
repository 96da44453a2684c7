#!/usr/bin/env python3
"""Makes first inputs for every target, of fixtures/ and of the examples of rules/, in corpus/TARGET/."""

import hashlib
import pathlib
import re

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
NAMES = (HERE / "names.txt").read_text().splitlines()
# As in fuzz_targets/recording.rs.
OF_A_HOST = re.findall(r'^    "([^"]+)",$', (HERE / "fuzz_targets/recording.rs").read_text(), re.M)


def target(path):
    """The target that reads such a file."""
    name = path.removesuffix(".erb").removesuffix(".j2")
    if name.endswith((".rb", "Berksfile")):
        return "ruby"
    if name.endswith(".py"):
        return "python"
    if name.endswith(".ini"):
        return "uwsgi"
    if name.endswith((".service", ".socket", ".timer")) or ".d/" in name and "systemd" in name:
        return "systemd"
    if "Dockerfile" in name:
        return "dockerfile"
    if name.endswith(".log"):
        return "log"
    if "/init/" in name or name.endswith(".override"):
        return "upstart"
    if "nginx" in name or "sites" in name:
        return "nginx"
    return "plain"


def number(path, text):
    """The number of the name, of those that the target knows, that is nearest to this path."""
    for at, name in enumerate(NAMES):
        if name.endswith(path) or path.endswith(name):
            return at
    folder, _, name = path.rpartition("/")
    likest = [
        ("recipes", ".rb"), ("attributes", ".rb"), ("libraries", ".rb"), ("resources", ".rb"), ("templates", ".erb"),
        ("init", ".conf"), ("nginx", ".conf"), ("nginx", ""), ("", ".ini"), ("", ".py"), ("", ".service"), ("", ".rb"),
    ]
    for part, end in likest:
        if part in folder.split("/") + [""] and name.endswith(end):
            fitting = [at for at, other in enumerate(NAMES) if part in other and other.endswith(end)]
            if fitting:
                return fitting[0]
    return 0


def write(into, data):
    folder = HERE / "corpus" / into
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def joined(files, names):
    return b"".join(b"\xff" + bytes([names(path, text)]) + text.replace(b"\xff", b"") for path, text in files)


def of_host(path, _):
    return next((at for at, name in enumerate(OF_A_HOST) if path.endswith(name)), 0)


def take(files):
    """One stack: each file for its reader, all of them for lint or for a recorded host."""
    for path, text in files:
        write(target(path), text)
        if path.endswith((".erb", ".j2")):
            write("template", text)
    if any(path == "host.toml" for path, _ in files):
        write("recording", joined(files, of_host))
    elif files:
        write("lint", joined(files, number))


EXAMPLE = re.compile(r"^`([^`\n]+)`[^\n]*:\n```[^\n]*\n(.*?)^```", re.M | re.S)
for page in sorted((ROOT / "rules").glob("*/*.md")):
    text = page.read_text()
    write("page", text.encode())
    front = text.split("+++")[1]
    for seen in re.findall(r'^seen = \[(.*?)\]', front, re.M | re.S):
        write("log", "\n".join(re.findall(r'"([^"]*)"', seen)).encode())
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        take([(path, body.encode()) for path, body in EXAMPLE.findall(part)])
for stack in sorted((ROOT / "fixtures").glob("*")) + sorted((ROOT / "fixtures/hosts").glob("*")):
    files = [file for file in sorted(stack.rglob("*")) if file.is_file()]
    take([(str(file.relative_to(stack)), file.read_bytes()) for file in files if file.stat().st_size < 65536])
for configuration in (ROOT / "fixtures").rglob("housecall.toml"):
    write("page", configuration.read_bytes())
