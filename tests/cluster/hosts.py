"""Hosts of a network as Linux namespaces: each with its own address, name and folders, on one switch.

A namespace lives as long as the process that holds it, and that one as long as its standard input is open: whatever
ends the tests, nothing of the network is left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_HOLD = "echo ready; exec cat >/dev/null"


def missing() -> str | None:
    """Tell what this machine lacks for a network of namespaces, None if nothing."""
    if sys.platform != "linux":
        return f"network namespaces need Linux, this is {sys.platform}"
    tools = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "hostname": "hostname"}
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            return f"the program {tool!r} (package {package}) is not installed"
    tries = (
        (["true"], "make network and host name namespaces (CAP_SYS_ADMIN)"),
        (["ip", "link", "add", "jd", "type", "bridge"], "add a network bridge"),
        (["ip", "link", "add", "jd", "type", "veth", "peer", "name", "jd-peer"], "add a pair of virtual cables (veth)"),
    )
    for command, what in tries:
        done = subprocess.run(
            ["unshare", "--net", "--uts", "--", *command], capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode:
            return f"this process may not {what}: {done.stderr.strip()}"
    return None


class Host:
    """One host.

    Attributes
    ----------
    name, address : str
        Its own.
    folder : Path
        Its user's home; the file system is the one of all hosts.
    """

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.name, self.address, self.folder = name, address, folder
        folder.mkdir(parents=True)
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "--", "sh", "-c", f"hostname {name} && ip link set lo up && {_HOLD}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n", f"the host {name} could not be made"

    @property
    def pid(self) -> int:
        """The process that holds the namespaces."""
        return self._holder.pid

    @property
    def inside(self) -> list[str]:
        """What goes before a command to run it there."""
        return ["nsenter", f"--target={self.pid}", "--net", "--uts", "--"]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process there."""
        folder = str(self.folder)
        return {**os.environ, "HOME": folder, "XDG_STATE_HOME": f"{folder}/state", "TMPDIR": folder}

    def run(self, *command: str) -> str:
        """Run a command there; return what it printed."""
        done = subprocess.run([*self.inside, *command], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{self.name}: {' '.join(command)}: {done.stderr}"
        return done.stdout

    def close(self) -> None:
        """Let go of the namespaces."""
        self._holder.communicate(timeout=30)


class Network:
    """Hosts on one switch, which is a host of its own: this machine's own network is left as it is.

    Parameters
    ----------
    folder : Path
        For the hosts' homes.
    names : sequence of str
        Of the hosts.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.hosts: dict[str, Host] = {}
        self._switch = Host("switch", "", folder / "switch")
        self._switch.run("ip", "link", "add", "bridge", "type", "bridge")
        self._switch.run("ip", "link", "set", "bridge", "up")
        for number, name in enumerate(names, 1):
            self.hosts[name] = host = Host(name, f"10.99.0.{number}", folder / name)
            self._connect(host)

    def _connect(self, host: Host) -> None:
        # The switch's end has the host's name, so that it can be pulled.
        cable = ("ip", "link", "add", host.name, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
        self._switch.run(*cable)
        self._switch.run("ip", "link", "set", host.name, "master", "bridge", "up")
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.run("ip", "link", "set", "eth0", "up")

    def cut(self, host: Host) -> None:
        """Pull a host's cable; what is sent to it and from it is lost in silence."""
        self._switch.run("ip", "link", "set", host.name, "down")

    def mend(self, host: Host) -> None:
        """Plug the cable in again."""
        self._switch.run("ip", "link", "set", host.name, "up")

    def close(self) -> None:
        """Take the network down; the processes in it have to be ended before."""
        for host in (*self.hosts.values(), self._switch):
            host.close()
