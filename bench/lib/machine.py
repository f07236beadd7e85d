"""What a table must say about where and with what it was made."""

import os
import pathlib
import platform
import re
import subprocess
import sys
import time

from bench.lib import processes

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASCULE = ROOT / "artifacts/bin/Bascule/release/bascule"

VERSION_COMMANDS = {
    "bascule": [str(BASCULE), "version"],
    "nginx": ["nginx", "-v"],
    "haproxy": ["haproxy", "-v"],
    "wrk": ["wrk", "-v"],
}


def build_bascule():
    """Builds through the launcher; what is measured is the program it built, so that it can be pinned to a core."""
    launcher = ROOT / "bascule"
    if not launcher.exists():
        sys.exit("There is no ./bascule launcher to build with; --products nginx,haproxy measures the peers alone.")
    built = subprocess.run([launcher, "version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode != 0 or not BASCULE.exists():
        sys.exit(f"./bascule version did not build {BASCULE.relative_to(ROOT)}:\n{built.stdout}")


def version(product):
    output = subprocess.run(VERSION_COMMANDS[product], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    number = re.search(r"\d+\.\d+(\.\d+)?(-[\w.+]+)?", output)
    return number.group() if number else output.strip().splitlines()[0]


def commit():
    """The commit measured, marked when files differ from it."""
    described = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return described.stdout.strip() or "unknown"


def describe():
    """Lines of Markdown."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) // 1024
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return [
        f"- Machine: {os.cpu_count()} × {cpu.group(1) if cpu else platform.machine()}{_hypervisor()}, {memory} MiB of memory",
        f"- System: {system.group(1) if system else 'unknown'}, Linux {platform.release()}",
        f"- Date: {time.strftime('%Y-%m-%d %H:%M %Z')}",
    ]


def _hypervisor():
    return ", a virtual machine" if " hypervisor" in pathlib.Path("/proc/cpuinfo").read_text() else ""


def wait_for_quiet(patience, limit=0.05):
    """Waits up to `patience` seconds for both cores to idle. Returns a sentence: what the machine was doing when we began."""
    deadline = time.monotonic() + patience
    said = False
    while True:
        before = [processes.read_core(core) for core in (0, 1)]
        time.sleep(2)
        shares = [processes.busy_share(old, processes.read_core(core)) for core, old in enumerate(before)]
        busiest = max(busy + stolen for busy, stolen in shares)
        if busiest <= limit:
            return f"the machine was quiet when the run began (busiest core {busiest:.0%})"
        if time.monotonic() > deadline:
            print(f"Not quiet: other work keeps a core {busiest:.0%} busy. Measuring all the same; the report says so.", file=sys.stderr)
            return f"**the machine was not quiet** when the run began: other work kept a core {busiest:.0%} busy"
        if not said:
            print(f"Other work keeps a core {busiest:.0%} busy; waiting up to {patience} s for quiet ...", file=sys.stderr)
            said = True
