"""Makes conda packages of a folder of files, with the community's own program.

condapack.py FILE SUBDIR FOLDER [FIELDS]   FIELDS are more of index.json, as JSON
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

file, subdir, folder = sys.argv[1:4]
more = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
name, version, build = stem.rsplit("-", 2)

with tempfile.TemporaryDirectory() as work:
    root = pathlib.Path(work) / "root"
    shutil.copytree(folder, root)
    paths = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        content = path.read_bytes()
        paths.append({
            "_path": str(path.relative_to(root)), "path_type": "hardlink",
            "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content),
        })
    info = root / "info"
    info.mkdir()
    index = {"name": name, "version": version, "build": build, "build_number": 0, "depends": [], "subdir": subdir, "license": None}
    (info / "index.json").write_text(json.dumps(index | more))
    (info / "paths.json").write_text(json.dumps({"paths": paths, "paths_version": 1}))
    (info / "files").write_text("".join(p["_path"] + "\n" for p in paths))
    (info / "about.json").write_text(json.dumps({"home": ["https://example.com"], "summary": "Says " + name}))
    subprocess.run(["cph", "create", root, file, "--out-folder", os.getcwd()], check=True, stdout=subprocess.DEVNULL)
