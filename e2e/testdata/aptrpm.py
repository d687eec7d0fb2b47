# A client of RPM repositories of the kind that apt-rpm reads, which Debian does
# not have. It asks for what apt-rpm asks for, in that order and with its
# conditions, is as strict about what it gets, and leaves what apt-rpm leaves to
# others to the same others: gpgv looks at signatures, xz unpacks, rpm's library
# reads lists and rpm itself installs.
#
# In the current directory: sources.list, vendors.list if signatures are to be
# checked, keyring.gpg (the keys as gpg --dearmor writes them); lists/ and
# cache/ are written, and what is installed goes below root/.
#
#   aptrpm.py update             fetches releases and lists
#   aptrpm.py list               NAME EPOCH:VERSION-RELEASE ARCH of all packages
#   aptrpm.py show NAME          the newest of that name, with its tags
#   aptrpm.py install NAME[=VERSION]   and all that it needs
#   aptrpm.py source NAME        fetches a source package
import base64, hashlib, json, os, re, subprocess, sys, urllib.error, urllib.parse, urllib.request

import rpm

# Tags that only lists have (apt-pkg/rpm/rpmhandler.h).
FILENAME, FILESIZE, MD5, BLAKE2B, DIRECTORY = 1000000, 1000001, 1000005, 1000009, 1000010


def fail(text):
    print("E: " + text)
    sys.exit(1)


def get(url, since=None):
    """The body and the date of a URL, None if it has not changed since. The
    credential in a URL is sent unasked."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(parts._replace(netloc=host).geturl(), headers={"User-Agent": "aptrpm", "Cache-Control": "max-age=0"})
    if parts.username:
        secret = f"{parts.username}:{parts.password}".encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(secret).decode())
    if since:
        request.add_header("If-Modified-Since", since)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read(), answer.headers["Last-Modified"]
    except urllib.error.HTTPError as e:
        if e.code == 304:
            return None, since
        fail(f"{url}: {e.code} {e.read().decode().strip()}")


class Repository:
    """A line of sources.list: a directory of one architecture."""

    def __init__(self, line):
        m = re.fullmatch(r"(rpm|rpm-src)\s+(?:\[(\S+)\]\s+)?(\S+?)/?\s+(\S+)\s+(\S+)", line)
        if not m:
            fail(f"sources.list has the line {line!r}")
        self.kind, self.vendor, uri, dist, self.component = m.groups()
        self.root = f"{uri}/{dist}/"
        self.list = ("srclist." if self.kind == "rpm-src" else "pkglist.") + self.component
        self.file = "lists/" + re.sub(r"[^A-Za-z0-9.]", "_", self.root.rpartition("@")[2]) + self.list

    def release(self):
        """The digests that a release names, once it is known to be the vendor's."""
        body, _ = get(self.root + "base/release")
        if self.vendor:
            body = self.verified(body)
        sums, kind = {}, None
        for line in body.decode().splitlines():
            if line.startswith(" "):
                digest, size, path = line.split()
                sums.setdefault(path, {"size": int(size)})[kind] = digest
            elif line.startswith("-----BEGIN"):
                break
            elif line.endswith(":"):
                kind = line[:-1]
        return sums

    def verified(self, body):
        """What stands before the one signature of the vendor's key."""
        keys = dict(re.findall(r'simple-key\s+"([^"]+)"\s*{\s*FingerPrint\s+"([0-9A-F]{40})";', open("vendors.list").read()))
        if self.vendor not in keys:
            fail(f"vendor {self.vendor} is not known")
        begin = b"-----BEGIN PGP SIGNATURE-----"
        text, *signatures = body.split(begin)
        if len(signatures) != 1:
            fail(f"{self.root} has {len(signatures)} signatures")
        with open("lists/text", "wb") as f:
            f.write(text)
        with open("lists/signature", "wb") as f:
            f.write(begin + signatures[0])
        # fingerprints of all signatures are joined and compared with the one
        gpgv = subprocess.run(["gpgv", "--status-fd", "1", "--keyring", "./keyring.gpg", "lists/signature", "lists/text"], capture_output=True, text=True)
        valid = "".join(re.findall(r"^\[GNUPG:\] VALIDSIG (\S+)", gpgv.stdout, re.M))
        if gpgv.returncode != 0 or valid != keys[self.vendor]:
            fail(f"{self.root} is not signed by {self.vendor}: {gpgv.stderr.strip()}")
        return text

    def update(self):
        """Fetches the list, compressed, if the release names that; of files that
        are here already a new copy only if they have changed."""
        sums = self.release()
        for path in ["base/" + self.list] + ([] if self.kind == "rpm-src" else ["base/release." + self.component]):
            packed = path.startswith("base/" + self.list)
            if packed and path + ".xz" not in sums:
                fail(f"{self.root} has no list that is compressed")
            if path not in sums:
                fail(f"{self.root} names no {path}")
            to = self.file + (".release" if not packed else "")
            since = open(to + ".date").read() if os.path.exists(to + ".date") else None
            body, date = get(self.root + path + (".xz" if packed else ""), since)
            if body is None:
                print(f"Hit {self.root.rpartition('@')[2]}{path}")
                body = open(to, "rb").read()
            elif packed:
                check(path + ".xz", body, sums[path + ".xz"])
                body = subprocess.run(["xz", "--decompress", "--stdout"], input=body, stdout=subprocess.PIPE, check=True).stdout
            check(path, body, sums[path])
            with open(to, "wb") as f:
                f.write(body)
            with open(to + ".date", "w") as f:
                f.write(date)

    def packages(self):
        """The headers of the list, as rpm's library reads them."""
        with open(self.file, "rb") as f:
            headers = rpm.readHeaderListFromFD(f.fileno(), False)
            at = os.lseek(f.fileno(), 0, os.SEEK_CUR)
        if at != os.path.getsize(self.file):
            fail(f"{self.file} cannot be read on behind {len(headers)} packages")
        return [Package(self, header) for header in headers]


def check(name, body, want):
    """Compares with size and digest, the better one if both are named."""
    if len(body) != want["size"]:
        fail(f"{name}: size mismatch, {len(body)} bytes, want {want['size']}")
    kind, new = ("BLAKE2b", hashlib.blake2b) if "BLAKE2b" in want else ("MD5Sum", hashlib.md5)
    if new(body).hexdigest() != want[kind]:
        fail(f"{name}: {kind} mismatch")
    if hashlib.md5(body).hexdigest() != want["MD5Sum"]:
        fail(f"{name}: MD5Sum mismatch")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class Package:
    def __init__(self, repository, header):
        self.repository, self.header, self.name = repository, header, text(header[rpm.RPMTAG_NAME])
        self.arch = "src" if repository.kind == "rpm-src" else text(header[rpm.RPMTAG_ARCH])
        self.evr = (str(header[rpm.RPMTAG_EPOCH] or 0), text(header[rpm.RPMTAG_VERSION]), text(header[rpm.RPMTAG_RELEASE]))

    def version(self):
        return (self.evr[0] + ":" if self.evr[0] != "0" else "") + f"{self.evr[1]}-{self.evr[2]}"

    def fetch(self):
        """Downloads the package. The client escapes ~ and knows no epoch."""
        name = text(self.header[FILENAME])
        want = {"size": self.header[FILESIZE], "MD5Sum": text(self.header[MD5]), "BLAKE2b": text(self.header[BLAKE2B])}
        body, _ = get(self.repository.root + text(self.header[DIRECTORY]) + "/" + name.replace("~", "%7e"))
        check(name, body, want)
        with open("cache/" + name, "wb") as f:
            f.write(body)
        return "cache/" + name


def newest(packages):
    best = None
    for p in packages:
        if best is None or rpm.labelCompare(p.evr, best.evr) > 0:
            best = p
    return best


def provides(package, name, flags, version):
    """Whether a package has what another one requires, as rpm's library
    compares the two."""
    h, wanted = package.header, rpm.ds((name, flags, version), "requires")
    offered = zip(h[rpm.RPMTAG_PROVIDENAME], h[rpm.RPMTAG_PROVIDEFLAGS], h[rpm.RPMTAG_PROVIDEVERSION])
    return name in h[rpm.RPMTAG_FILENAMES] or any(n == name and rpm.ds((n, f, v), "provides").Compare(wanted) for n, f, v in offered)


def resolve(packages, wanted):
    """A package and all that it needs."""
    chosen = [wanted]
    for p in chosen:  # which grows
        h = p.header
        for need in zip(h[rpm.RPMTAG_REQUIRENAME], h[rpm.RPMTAG_REQUIREFLAGS], h[rpm.RPMTAG_REQUIREVERSION]):
            if need[0].startswith("rpmlib(") or any(provides(have, *need) for have in chosen):
                continue
            found = newest([have for have in packages if provides(have, *need)])
            if found is None:
                fail(f"{p.name} needs {need[0]} {need[2]}, which is nowhere")
            chosen.append(found)
    return chosen


def main(command, *names):
    for folder in ["lists", "cache", "root"]:
        os.makedirs(folder, exist_ok=True)
    lines = [line.strip() for line in open("sources.list")]
    repositories = [Repository(line) for line in lines if line and not line.startswith("#")]
    if command == "update":
        for r in repositories:
            r.update()
        return
    every = [p for r in repositories for p in r.packages()]
    packages = [p for p in every if p.arch != "src"]
    if command == "list":
        for p in every:
            print(p.name, p.version(), p.arch)
        return
    name, _, version = names[0].partition("=")
    found = newest([p for p in (every if command == "source" else packages) if p.name == name and version in ("", p.version()) and (p.arch == "src") == (command == "source")])
    if found is None:
        fail(f"couldn't find package {names[0]}")
    if command == "show":
        h = found.header
        tags = {rpm.tagnames[t]: h[t] for t in h.keys() if t in rpm.tagnames}
        print(json.dumps(tags | {"FILENAMES": h[rpm.RPMTAG_FILENAMES]}, default=text, indent=1))
    elif command == "source":
        print(found.fetch())
    elif command == "install":
        files = [p.fetch() for p in resolve(packages, found)]
        subprocess.run(["rpm", "--root", os.path.abspath("root"), "--upgrade", "--oldpackage", "--replacepkgs", "--ignorearch", "--noscripts", *files], check=True)
    else:
        fail(f"unknown command {command}")


main(*sys.argv[1:])
