"""A client and two directors on one switch, each a network namespace."""

import pathlib
import subprocess

CLIENT, VIRTUAL = "192.0.2.100", "192.0.2.10"
DIRECTORS = {"one": "192.0.2.1", "two": "192.0.2.2"}
MACS = {"one": "02:ba:5c:00:00:01", "two": "02:ba:5c:00:00:02", "client": "02:ba:5c:00:00:64"}
MACHINES = ("switch", "client", *DIRECTORS)


class Network:
    def __init__(self, name):
        self._name = name
        self.remove()  # a run that was killed may have had our number
        self._lay_cables()
        self._script("switch", "ip link add lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "ip link set lan up",
                     *[f"ip link set {machine} master lan up" for machine in MACS])
        for machine, address in {"client": CLIENT, **DIRECTORS}.items():
            self._script(machine, "ip link set lo up", f"ip link set eth0 address {MACS[machine]} up", f"ip address add {address}/24 dev eth0")

    def inside(self, machine, *command):
        """A command line that runs in a machine."""
        return ["nsenter", f"--net=/run/netns/{self._name}-{machine}", *command]

    def forget_virtual_address(self):
        """And the gate that a killed Bascule leaves closed."""
        for director in DIRECTORS:
            self._script(director, "nft flush ruleset", *[f"ip address flush dev {port} to {VIRTUAL}" for port in ("lo", "eth0")])

    def cable(self, director, state):
        """`down` at the switch is no carrier at the director."""
        self._script("switch", f"ip link set {director} {state}")

    def remove(self):
        for machine in MACHINES:
            if pathlib.Path(f"/run/netns/{self._name}-{machine}").exists():
                subprocess.run(["ip", "netns", "delete", f"{self._name}-{machine}"], check=True)

    def _lay_cables(self):
        lines = [f"netns add {self._name}-{machine}" for machine in MACHINES]
        lines += [f"link add eth0 netns {self._name}-{machine} type veth peer name {machine} netns {self._name}-switch" for machine in MACS]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)

    def _script(self, machine, *lines):
        subprocess.run(self.inside(machine, "sh", "-e"), input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
