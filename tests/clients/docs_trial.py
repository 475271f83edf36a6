"""README.md and docs/*.md as a reader types them: every console block, against a fresh server for each page.

A block is a session: `$ ` begins a command, `> ` goes on with it, other lines are what it prints. `…` stands for anything, alone on
a line for any number of lines. Times, ids and generated names are whatever they are. A command that starts a server (contrail
without a command, cargo run, moto_server) takes the place of the one before it, and runs on; a page without one finds a server.
Pages share nothing: each has a folder and ports of its own.

What a reader does not see, in front of a block:
  <!-- file: NAME -->    it is a file, which is put there
  <!-- not run: WHY -->  it is not run
"""

import concurrent.futures
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRAIL = pathlib.Path(os.environ["CONTRAIL_BIN"]).resolve()
# The ports that pages name, of Contrail and of others.
PORTS = ["4700", "4701", "4566", "5000", "9000", "8000"]
SERVER = re.compile(r"(\w+=\S* )*(contrail( +(-.*|serve\b.*))?|cargo run --release( +-.*)?|moto_server .*)( +#.*)?")
LONGEST = 120
ENDED = "\x1eended "
VOLATILE = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
    (r"\d{8}T\d{4,6}Z", "TIME"),
    (r"\d{4}/\d\d/\d\d", "DATE"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"(?<=_)[A-Za-z0-9]{16}(?=\.json\.gz)", "NAME"),
]


class Wrong(Exception):
    pass


def blocks(text):
    """(directives, language, lines, number of the first line) of each block of a page."""
    lines, at, directives = text.splitlines(), 0, {}
    while at < len(lines):
        line = lines[at].strip()
        if found := re.fullmatch(r"<!-- (file|not run): (.*) -->", line):
            directives[found[1]] = found[2]
        elif line.startswith("```"):
            indent = len(lines[at]) - len(lines[at].lstrip())
            end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == "```")
            yield directives, line[3:].strip(), [text[indent:] for text in lines[at + 1 : end]], at + 2
            at, directives = end, {}
        elif line:
            directives = {}
        at += 1


def steps(lines, number):
    """(command, lines that it prints, number of its line) of a console block."""
    found = []
    for offset, line in enumerate(lines):
        if line.startswith("$ "):
            found.append((line[2:], [], number + offset))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line[2:], [], found[-1][2])
        elif found:
            found[-1][1].append(line)
        else:
            raise Wrong(f"line {number + offset}: output in front of the first command")
    return found


def normal(text):
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def matches(expected, found):
    pieces = []
    for line in expected.splitlines():
        pieces.append(r"(.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n")
    return re.fullmatch("".join(pieces), found + "\n" if found else "") is not None


class Page:
    def __init__(self, path):
        self.path = path
        self.folder = tempfile.TemporaryDirectory()
        self.home = pathlib.Path(self.folder.name)
        self.ports = {}
        sockets = [socket.socket() for _ in PORTS]
        for port, listener in zip(PORTS, sockets):
            listener.bind(("127.0.0.1", 0))
            self.ports[port] = str(listener.getsockname()[1])
        for listener in sockets:
            listener.close()
        bin = self.home / ".bin"
        bin.mkdir()
        (bin / "contrail").symlink_to(CONTRAIL)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONTRAIL"))}
        environment |= {
            "PATH": f"{bin}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "CONTRAIL_PORT": self.ports["4700"],
            # A century: no log file is cut because the clock is at a full five minutes.
            "CONTRAIL__DELIVERY__PERIOD": "36500d",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "10",
            "AWS_PAGER": "",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        self.environment = environment
        self.servers = {}
        self.log = open(self.home / ".log", "w+")
        self.shell = subprocess.Popen(
            ["bash", "--norc"], cwd=self.home, env=environment, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def here(self, text):
        """What a page says, in the terms of this machine."""
        ports = "|".join(PORTS)
        return re.sub(rf'(:|--port |-p |"--port", ")({ports})\b', lambda m: m[1] + self.ports[m[2]], text)

    def there(self, text):
        for port, mine in self.ports.items():
            text = re.sub(rf"\b{mine}\b", port, text)
        return text.replace(str(self.home), "/home/ana/contrail")

    def ask(self, command):
        """What a command prints."""
        self.shell.stdin.write(command + f"\n printf '\\036ended %s\\n' $?\n")
        self.shell.stdin.flush()
        timer = threading.Timer(LONGEST, self.shell.kill)
        timer.start()
        printed = []
        try:
            for line in self.shell.stdout:
                before, mark, _ = line.partition(ENDED)
                printed.append(before)
                if mark:
                    return "".join(printed)
        finally:
            timer.cancel()
        raise Wrong(f"it takes longer than {LONGEST} s: {command}\n{''.join(printed)}")

    def start(self, command, expected):
        kind = "moto" if "moto_server" in command else "contrail"
        self.stop(kind)
        command = re.sub(r"cargo run --release( -- )?", "contrail ", command)
        printed = self.home / f".{kind}"
        printed.write_text("")
        # In the environment and the folder that the session has now.
        self.ask(f"{self.here(command).split(' #')[0]} >{printed} 2>>{self.home}/.log & echo $! >{self.home}/.pid")
        self.servers[kind] = int((self.home / ".pid").read_text())
        for _ in range(600):
            if kind == "contrail" and printed.read_text().count("\n\n") >= 2:
                break
            if kind == "moto" and subprocess.run(
                ["curl", "--silent", self.here("http://127.0.0.1:5000/moto-api/")], capture_output=True
            ).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise Wrong(f"it does not start: {command}\n{self.logged()}")
        if expected:
            self.compare(command, expected, printed.read_text())

    def logged(self):
        self.log.flush()
        return "".join((self.home / ".log").read_text().splitlines(True)[-20:])

    def stop(self, kind):
        if pid := self.servers.pop(kind, None):
            self.ask(f"kill {pid}; wait {pid} 2>/dev/null")

    def compare(self, command, expected, found):
        wanted, found = normal("\n".join(expected)), normal(self.there(found))
        if not matches(wanted, found):
            raise Wrong(f"$ {command}\n--- is to print\n{wanted}\n--- prints\n{found}")

    def run(self):
        ran = 0
        for directives, language, lines, number in blocks(self.path.read_text()):
            if name := directives.get("file"):
                file = self.home / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(self.here("\n".join(lines) + "\n"))
            elif language == "console" and "not run" not in directives:
                for command, expected, line in steps(lines, number):
                    try:
                        if SERVER.fullmatch(command):
                            self.start(command, expected)
                        else:
                            if not self.servers:
                                self.start("contrail", [])
                            self.compare(command, expected, self.ask(self.here(command)))
                    except Wrong as wrong:
                        raise Wrong(f"{self.path.relative_to(ROOT)}:{line}: {wrong}") from None
                    ran += 1
        return ran

    def end(self):
        for kind in list(self.servers):
            self.stop(kind)
        self.shell.kill()
        self.shell.wait()
        self.folder.cleanup()


def run(path):
    page = Page(path)
    try:
        return page.run(), None
    except Wrong as wrong:
        return 0, f"{wrong}\n--- log\n{page.logged()}"
    except (OSError, ValueError) as broken:
        return 0, f"{broken!r}\n--- log\n{page.logged()}"
    finally:
        page.end()


def main():
    named = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    pages = named or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        results = list(threads.map(run, pages))
    for path, (ran, wrong) in zip(pages, results):
        print(f"{path.relative_to(ROOT)}: {wrong or f'{ran} commands'}", flush=True)
    assert not any(wrong for _, wrong in results)
    assert named or sum(ran for ran, _ in results) > 50, "the blocks are not found any more"


main()
