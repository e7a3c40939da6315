"""How packages of a kind, DEB or RPM, are installed and removed in a machine."""

import re
import subprocess

from machine import only_package

NEWER = "# A word more."  # the last line of the configuration that a newer package ships


class Deb:
    name = "deb"
    tools = ("dpkg-deb",)

    def __init__(self, package):
        self.package = package

    def built(self, directory):
        """The package, and the same with a higher version and a line more in each file of its configuration."""
        package = only_package(f"{self.package}_*.deb")
        tree = directory / "newer"
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1+1", control.read_text(), flags=re.M))
        for file in (tree / "etc/tribecast").glob("*.conf"):
            with open(file, "a") as configuration:
                configuration.write(f"{NEWER}\n")
        newer = directory / "newer.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, newer], check=True, capture_output=True)
        return package, newer

    def unpack(self, package, directory):
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)

    def install(self, machine, package):
        """As an upgrade does that nobody watches."""
        return machine.run("dpkg", "--force-unsafe-io", "--force-confdef", "--force-confold", "-i", package).stdout

    upgrade = install
    downgrade = install

    def version(self, machine):
        return machine.shell(f"dpkg-query -W -f '${{Version}}' {self.package}")

    def remove(self, machine):
        machine.run("dpkg", "--force-unsafe-io", "-r", self.package)

    def purge(self, machine):
        machine.run("dpkg", "--force-unsafe-io", "-P", self.package)


class Rpm:
    """Debian's rpm knows of no package that provides its /bin/sh, so dependencies are not looked at here."""

    name = "rpm"
    tools = ("rpm", "rpm2cpio", "cpio")

    def __init__(self, package):
        self.package = package

    def built(self, directory):
        return only_package(f"{self.package}-[0-9]*.rpm"), only_package(f"newer/{self.package}-[0-9]*.rpm")

    def unpack(self, package, directory):
        subprocess.run(["sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh", package], check=True, cwd=directory)

    def install(self, machine, package):
        return machine.run("rpm", "-i", "--nodeps", package).stdout

    def upgrade(self, machine, package):
        machine.run("rpm", "-U", "--nodeps", "--replacepkgs", package)

    def downgrade(self, machine, package):
        machine.run("rpm", "-U", "--nodeps", "--replacepkgs", "--oldpackage", package)

    def version(self, machine):
        return machine.shell(f"rpm -q {self.package}")

    def remove(self, machine):
        machine.run("rpm", "-e", self.package)
