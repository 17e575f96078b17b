"""What the host itself knows: its hosts file and its name servers."""

from __future__ import annotations

import os
from pathlib import Path

from statuspulse.egress.hosts import Hosts
from statuspulse.egress.nameservers import Nameservers


def test_names_are_found_in_any_case_with_all_their_addresses(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("127.0.0.9 Db.Internal db # a comment\n::9 db\n127.0.0.9 db\n# 127.0.0.8 gone\nrubbish x\n\n")
    hosts = Hosts(file)
    assert hosts.lookup("db") == ("127.0.0.9", "::9")
    assert hosts.lookup("db.internal") == ("127.0.0.9",)
    assert hosts.lookup("gone") == ()
    assert hosts.lookup("x") == ()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 a\n")
    hosts = Hosts(file)
    assert hosts.lookup("a") == ("127.0.0.1",)
    file.write_text("127.0.0.22 a\n")
    os.utime(file, ns=(1, 1))
    assert hosts.lookup("a") == ("127.0.0.22",)
    file.unlink()
    assert hosts.lookup("a") == ()


def test_localhost_never_needs_the_file(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "missing")
    assert hosts.lookup("localhost") == ("127.0.0.1", "::1")
    assert hosts.lookup("app.localhost") == ("127.0.0.1", "::1")
    assert hosts.lookup("localhost.example") == ()


def test_the_file_decides_what_localhost_is(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost\n")
    assert Hosts(file).lookup("localhost") == ("127.0.0.1",)


def test_name_servers_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "search example\nnameserver 127.0.0.53\n nameserver ::1\nnameserver nonsense\nnameserver\n#nameserver 1.1.1.1\n"
    )
    servers = Nameservers(file)
    assert servers.current() == ("127.0.0.53", "::1")
    file.write_text("nameserver 127.0.0.54\n")
    os.utime(file, ns=(1, 1))
    assert servers.current() == ("127.0.0.54",)


def test_without_name_servers_this_host_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert Nameservers(file).current() == ("127.0.0.1",)
    file.write_text("search example\n")
    assert Nameservers(file).current() == ("127.0.0.1",)
