"""`python -m tools.make_bounces postfix|exim FOLDER` has real mail servers make real bounces.

A server on loopback refuses in every way that `tests/delivery/bounces/refusals.toml` lists; a real
Postfix or Exim with a configuration of its own tries to deliver to it, gives up, and mails back
what it writes to senders. That is kept, with addresses of this machine replaced by those for
documentation (RFC 5737). What came out last is in `tests/delivery/bounces/corpus`.

Needs root, Linux and `unshare`: names of hosts and users are put in place in a mount namespace of
its own. Postfix must be installed. Exim's Debian package cannot stand beside Postfix; unpack it and
libidn12 (`apt-get download`, `dpkg -x`) and name the folder in `EXIM_ROOT`.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosmtplib
from aiosmtpd.controller import Controller

REFUSALS = Path(__file__).parents[1] / "tests/delivery/bounces/refusals.toml"
_PORT = 10_525
_OUR_PORT = 10_526
_HOSTS = """\
127.0.0.1 localhost
127.0.0.11 mail.example.net
127.0.0.12 mx.example.org
127.0.0.13 mx.example.com
127.0.0.14 collector.coalition.example
127.0.0.15 silent.example.com
"""
_NEUTRAL = ((b"127.0.0.", b"192.0.2."), (b":%d" % _PORT, b":25"))
_SENDER = "b+ahcqcacchzss5wn6tlo5gfib7y@coalition.example"
_MAIL = """\
From: Riverside Coalition <news@coalition.example>
To: {to}
Subject: News for March
Message-ID: <c.7.{name}@coalition.example>
Date: Sun, 01 Mar 2026 10:00:00 +0000
List-Id: News <news.coalition.example>
X-Handbill-Campaign: 7
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Spring is here.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One way to refuse."""

    name: str
    at: str
    reply: str
    by: str = ""


def refusals(path: Path = REFUSALS) -> list[Refusal]:
    """Those of the file."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["refusal"]
    return [
        Refusal(
            name=each["name"],
            at=each["at"],
            reply="\r\n".join(each["reply"]),
            by=each.get("by", ""),
        )
        for each in listed
    ]


class Refuser:
    """Refuses by the name before the at sign; takes what is mailed to the sender."""

    def __init__(self, listed: list[Refusal]) -> None:
        self._by_name = {each.name: each for each in listed}
        self.returned: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Refuses here what is said to RCPT, and to MAIL, where the name is not known yet."""
        refusal = self._by_name.get(address.partition("@")[0].partition("+")[0])
        if refusal is not None and refusal.at in ("rcpt", "mail"):
            return refusal.reply.replace("{address}", address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - as above
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Refuses after the dot, or keeps what came back."""
        address = envelope.rcpt_tos[0]
        refusal = self._by_name.get(address.partition("@")[0])
        if refusal is not None:
            return refusal.reply.replace("{address}", address)
        self.returned.append(bytes(envelope.content))
        return "250 2.0.0 Ok"


def main() -> None:
    """Make bounces, in a namespace of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["postfix", "exim"])
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if "HANDBILL_APART" not in os.environ:
        again = [sys.executable, "-m", "tools.make_bounces", *sys.argv[1:]]
        os.execvpe(  # noqa: S606 - the same program again, in a namespace
            "unshare", ["unshare", "--mount", *again], {**os.environ, "HANDBILL_APART": "1"}
        )
    with tempfile.TemporaryDirectory(prefix="bounces-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _put_in_place(folder, chosen.kind)
        server = {"postfix": _postfix, "exim": _exim}[chosen.kind]
        asyncio.run(_make(chosen.kind, server, folder, chosen.folder))


def _put_in_place(folder: Path, kind: str) -> None:
    """An `/etc` of our own, for this namespace alone: names of hosts, and what Exim needs there."""
    etc = folder / "etc"
    shutil.copytree("/etc", etc, symlinks=True)
    (etc / "hosts").write_text(_HOSTS)
    if kind == "exim":
        root = Path(os.environ["EXIM_ROOT"])
        with (etc / "passwd").open("a") as users:
            users.write("Debian-exim:x:8:8::/:/usr/sbin/nologin\n")
        with (etc / "group").open("a") as groups:
            groups.write("Debian-exim:x:8:\n")
        (etc / "ld.so.conf.d/exim.conf").write_text(f"{root}/usr/lib/x86_64-linux-gnu\n")
        (etc / "exim4").mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
    subprocess.run(["ldconfig"], check=True)


async def _make(kind: str, server: Callable[..., Any], folder: Path, out: Path) -> None:
    listed = [each for each in refusals() if each.by in ("", kind)]
    refuser = Refuser(listed)
    taker = Controller(refuser, hostname="127.0.0.12", port=_PORT, enable_SMTPUTF8=True)
    ours = Controller(refuser, hostname="127.0.0.14", port=_PORT, enable_SMTPUTF8=True)
    taker.start()
    ours.start()
    quiet = await asyncio.start_server(lambda *_: None, "127.0.0.15", _PORT)
    jobs = _jobs(listed)
    try:
        for is_patient in (False, True):
            with server(folder / kind, is_patient=is_patient):
                for name, wanted in jobs.items():
                    if name.startswith("delayed") is is_patient:
                        before = len(refuser.returned)
                        await _send(name, wanted)
                        await _came_back(refuser, before)
                        for number, octets in enumerate(refuser.returned[before:], start=1):
                            _keep(out, f"{kind}-{name}" + f"-{number}" * (number > 1), octets)
    finally:
        quiet.close()
        taker.stop()
        ours.stop()


def _jobs(listed: list[Refusal]) -> dict[str, list[str]]:
    """What is sent to whom, in one message each."""
    jobs = {each.name: [f"{each.name}@example.org"] for each in listed}
    jobs["several"] = [
        "user-unknown@example.org",
        "gmail-full@example.org",
        "spamhaus@example.org",
    ]
    jobs["refused-connection"] = ["ana@example.com"]
    jobs["timed-out"] = ["ana@silent.example.com"]
    jobs["host-unknown"] = ["ana@nowhere.example"]
    jobs["local-unknown"] = ["nobody-here@mail.example.net"]
    jobs["delayed"] = ["greylisted@example.org"]
    return jobs


async def _send(name: str, to: list[str]) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.11", port=_OUR_PORT, start_tls=False)
    for attempt in range(60):
        try:
            await client.connect()
            break
        except aiosmtplib.SMTPException:
            await asyncio.sleep(0.2 + attempt / 100)
    await client.sendmail(_SENDER, to, _MAIL.format(name=name, to=", ".join(to)).encode())
    await client.quit()


async def _came_back(refuser: Refuser, before: int) -> None:
    for _ in range(200):
        if len(refuser.returned) > before:
            await asyncio.sleep(0.3)
            return
        await asyncio.sleep(0.2)


def _keep(out: Path, name: str, octets: bytes) -> None:
    for found, put in _NEUTRAL:
        octets = octets.replace(found, put)
    octets = re.sub(rb"(?m)^Received: (?:.*\r\n)(?:[ \t].*\r\n)*", b"", octets)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.eml").write_bytes(octets.replace(b"\r\n", b"\n"))
    print(name)


@contextmanager
def _postfix(folder: Path, *, is_patient: bool) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    etc = folder / "etc"
    shutil.copy("/etc/postfix/master.cf", etc / "master.cf")
    master = re.sub(
        r"(?m)^smtp(\s+inet\s+n\s+-\s+)\S",
        rf"127.0.0.11:{_OUR_PORT}\1n",
        (etc / "master.cf").read_text(),
    )
    master = re.sub(r"(?m)^(\S+\s+(?:inet|unix)\s+\S+\s+\S+\s+)y", r"\1n", master)
    (etc / "master.cf").write_text(master)
    (etc / "transport").write_text(
        f"example.org smtp:[mx.example.org]:{_PORT}\n"
        f"example.com smtp:[mx.example.com]:{_PORT}\n"
        f"silent.example.com smtp:[silent.example.com]:{_PORT}\n"
        f"nowhere.example smtp:[mx.nowhere.example]\n"
        f"coalition.example smtp:[collector.coalition.example]:{_PORT}\n"
    )
    settings = {
        "compatibility_level": "3.6",
        "myhostname": "mail.example.net",
        "mydestination": "mail.example.net",
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "inet_interfaces": "loopback-only",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "transport_maps": f"texthash:{etc}/transport",
        "alias_maps": "",
        "local_recipient_maps": "",
        "smtp_host_lookup": "native",
        "smtputf8_enable": "yes",
        "smtp_connect_timeout": "2s",
        "smtp_helo_timeout": "2s",
        "maximal_queue_lifetime": "1h" if is_patient else "0",
        "bounce_queue_lifetime": "1h",
        "delay_warning_time": "1s" if is_patient else "0",
        "queue_run_delay": "2s",
        "minimal_backoff_time": "2s",
        "maillog_file_prefixes": folder,
        "maillog_file": folder / "log",
    }
    (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    try:
        subprocess.run(["postfix", "-c", etc, "start"], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        print((folder / "log").read_text())
        raise
    try:
        yield
    finally:
        subprocess.run(["postfix", "-c", etc, "abort"], check=False, capture_output=True)


@contextmanager
def _exim(folder: Path, *, is_patient: bool) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "spool").mkdir(parents=True)
    for each in (folder, folder / "spool"):
        shutil.chown(each, 8, 8)
    program = Path(os.environ["EXIM_ROOT"]) / "usr/sbin/exim4"
    Path("/etc/exim4/exim4.conf").write_text(
        _EXIM.format(
            program=program,
            spool=folder / "spool",
            port=_PORT,
            ours=_OUR_PORT,
            retry="* * F,1h,2s" if is_patient else "",
        )
    )
    daemon = subprocess.Popen([program, "-bdf", "-q1s"])
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


_EXIM = """\
exim_path = {program}
primary_hostname = mail.example.net
exim_user = 8
exim_group = 8
spool_directory = {spool}
log_file_path = {spool}/%slog
daemon_smtp_ports = {ours}
local_interfaces = 127.0.0.11
acl_smtp_rcpt = accept
acl_smtp_data = accept
delay_warning = 1s
delay_warning_condition = true
smtputf8_advertise_hosts = *
queue_run_in_order = true
begin routers
ours:
  driver = manualroute
  domains = coalition.example
  route_list = * collector.coalition.example byname
  transport = out
theirs:
  driver = manualroute
  domains = example.org
  route_list = * mx.example.org byname
  transport = out
closed:
  driver = manualroute
  domains = example.com
  route_list = * mx.example.com byname
  transport = out
silent:
  driver = manualroute
  domains = silent.example.com
  route_list = * silent.example.com byname
  transport = out
begin transports
out:
  driver = smtp
  port = {port}
  allow_localhost
  connect_timeout = 2s
  command_timeout = 2s
  hosts_avoid_tls = *
begin retry
{retry}
begin acl
accept:
  accept
"""


if __name__ == "__main__":
    main()
