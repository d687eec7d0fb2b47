package cran

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// isIndex tells whether a file name is one of the forms of an index.
func isIndex(file string) bool {
	switch file {
	case packagesStream, packagesStream + gzipEnding, packagesStream + ".rds":
		return true
	}
	return false
}

// sources serves the index of the sources, and their files of any version.
func sources(w http.ResponseWriter, r *protocols.Request) error {
	if isIndex(r.Params["file"]) {
		return servePackages(w, r, kind{}, r.Params["file"])
	}
	return downloadSource(w, r)
}

// binaries serves the index of a platform and a version of R, and their files.
func binaries(w http.ResponseWriter, r *protocols.Request) error {
	k, err := kindIn(r.Params)
	if err != nil {
		return nowhere()
	}
	if isIndex(r.Params["file"]) {
		return servePackages(w, r, k, r.Params["file"])
	}
	return download(w, r, k)
}

// downloadSource serves a source, as CRAN has it: beside the index, or in the
// archive below its package, where other servers put a folder for the version.
func downloadSource(w http.ResponseWriter, r *protocols.Request) error {
	return download(w, r, kind{})
}

func download(w http.ResponseWriter, r *protocols.Request, k kind) error {
	_, f, err := find(r, k, access.Read)
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: k.mediaType(), Redirect: http.StatusFound})
}

// find returns the package and the file of the kind that a path names, if the
// viewer may do the action. Names count with their case.
func find(r *protocols.Request, k kind, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	file := r.Params["file"]
	name, version, err := k.parseFile(file)
	if err != nil {
		return nil, nil, err
	}
	for param, want := range map[string]string{"name": name, "version": version} {
		if got, ok := r.Params[param]; ok && got != want {
			return nil, nil, nowhere()
		}
	}
	p, err := named(r, name, action)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, normalize(version), file, k.key())
	return p, f, err
}

// named is the package of that name in that spelling.
func named(r *protocols.Request, name string, action access.Action) (*ent.Pkg, error) {
	p, err := r.Space.Package(r.Context(), fold(name), action)
	if err == nil && p.Name != name {
		err = registry.Errorf(registry.NotFound, "package not found")
	}
	return p, err
}

// deleteFile removes a file, and with the last one its version.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	k, err := kindIn(r.Params)
	if err != nil {
		return nowhere()
	}
	p, f, err := find(r, k, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// versionsAtOnce is how many versions are read at a time.
const versionsAtOnce = 500

// listArchive shows the sources of a package as a page of links, which some
// programs read.
func listArchive(w http.ResponseWriter, r *protocols.Request) error {
	p, err := named(r, r.Params["name"], access.Read)
	if err != nil {
		return err
	}
	type line struct{ file, key, text string }
	var lines []line
	for offset := 0; ; offset += versionsAtOnce {
		versions, err := r.Space.Versions(r.Context(), p, offset, versionsAtOnce)
		if err != nil {
			return err
		}
		for _, v := range versions {
			file := kind{}.fileName(p.Name, v.Version)
			for _, f := range v.Edges.Files {
				if f.Name != file {
					continue
				}
				lines = append(lines, line{file, sortKey(v.Version), fmt.Sprintf("<a href=%q>%s</a> %s %d\n",
					html.EscapeString(file), html.EscapeString(file), v.CreatedAt.UTC().Format("2006-01-02 15:04"), f.Edges.Blob.Size)})
				break
			}
		}
		if len(versions) < versionsAtOnce {
			break
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.key, b.key) })
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<title>Archive of %s</title>\n<pre>\n", html.EscapeString(p.Name))
	for _, l := range lines {
		b.WriteString(l.text)
	}
	b.WriteString("</pre>\n")
	return send(w, r, "text/html; charset=utf-8", b.String())
}

// send answers with a small text made for the request.
func send(w http.ResponseWriter, r *protocols.Request, contentType, body string) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r.Request, "", time.Time{}, strings.NewReader(body))
	return nil
}

// showDescription serves the DESCRIPTION of the highest version.
func showDescription(w http.ResponseWriter, r *protocols.Request) error {
	p, err := named(r, r.Params["name"], access.Read)
	if err != nil {
		return err
	}
	v, err := r.Space.Latest(r.Context(), p)
	if err != nil {
		return err
	}
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return err
	}
	return send(w, r, textType, md.Description)
}

// showPage leads to the package's page.
func showPage(w http.ResponseWriter, r *protocols.Request) error {
	p, err := named(r, r.Params["name"], access.Read)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Location", r.BaseURL+protocols.JoinPath(r.Space.Owner.Name, typeName, p.NormalizedName))
	w.WriteHeader(http.StatusFound)
	return nil
}
