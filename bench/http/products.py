"""The proxies measured: how each is configured and started."""

import pathlib
from dataclasses import dataclass

from bench.lib import machine, processes

CONFIGURATIONS = pathlib.Path(__file__).parent / "configurations"

# How each product writes "ask the origin every two seconds"; nginx has no active checks.
CHECKS = {
    "bascule": {True: "{ type: http, path: /, expect: 200, interval: 2s, timeout: 1s }", False: "none"},
    "haproxy": {True: "check inter 2s", False: ""},
    "nginx": {True: "", False: ""},
}
FILES = {"bascule": "bascule-{}.yaml", "nginx": "nginx-{}.conf", "haproxy": "haproxy-{}.cfg"}
COMMANDS = {
    "bascule": lambda file: [str(machine.BASCULE), "run", "-c", file],
    "nginx": lambda file: ["nginx", "-c", file, "-e", f"{file}.log"],
    "haproxy": lambda file: ["haproxy", "-db", "-f", file],
}


@dataclass
class Proxy:
    """A product at work, pinned to the core that is measured."""
    name: str
    mode: str
    port: int
    process: processes.Process


def render(template, directory, **values):
    """Fills a configuration's @NAMES@ and writes it to the directory."""
    text = (CONFIGURATIONS / template).read_text()
    for name, value in {"DIRECTORY": directory, **values}.items():
        text = text.replace(f"@{name}@", str(value))
    file = pathlib.Path(directory) / template
    file.write_text(text)
    return str(file)


def start_origin(stack, directory, core):
    """The real server. Returns its port."""
    port = processes.free_port()
    file = render("origin.conf", directory, ORIGIN=port)
    origin = processes.Process("origin", COMMANDS["nginx"](file), directory, core)
    stack.callback(origin.stop)
    processes.wait_until_it_answers(origin, port)
    return port


def start_proxy(stack, directory, name, mode, origin, core, checks):
    port = processes.free_port()
    file = render(FILES[name].format(mode), directory, PORT=port, ORIGIN=origin, CHECK=CHECKS[name][checks])
    process = processes.Process(f"{name}-{mode}", COMMANDS[name](file), directory, core)
    stack.callback(process.stop)
    processes.wait_until_it_answers(process, port)
    return Proxy(name, mode, port, process)
