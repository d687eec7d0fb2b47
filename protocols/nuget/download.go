package nuget

import (
	"bytes"
	"context"
	"encoding/hex"
	"hash/fnv"
	"io"
	"net/http"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxAsset is the largest icon or license that is served, in bytes.
const maxAsset = 1 << 20

func serveVersions(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg) error {
	key := registry.DocumentKey{Package: p, Name: "nuget versions"}
	return protocols.ServeDocument(w, r, key, jsonType, func(ctx context.Context, w io.Writer) error {
		states, err := r.Space.VersionStates(ctx, p)
		if err != nil {
			return err
		}
		versions, err := inOrder(states)
		if err != nil {
			return err
		}
		list := struct {
			Versions []string `json:"versions"`
		}{make([]string, len(versions))}
		for i, v := range versions {
			list.Versions[i] = v.version.identity()
		}
		_, err = w.Write(append(jsonOf(list), '\n'))
		return err
	})
}

// download sends a version's package, as V2's clients ask for it.
func download(w http.ResponseWriter, r *protocols.Request) error {
	p, version, err := findVersion(r)
	if err != nil {
		return err
	}
	return servePackage(w, r, p, version)
}

func servePackage(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, version string) error {
	return serveStored(w, r, p, version, packageFile(p.NormalizedName, version), "")
}

func serveStored(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, version, name, contentType string) error {
	f, err := r.Space.File(r.Context(), p, version, name, "")
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: contentType, Undated: true, Redirect: http.StatusFound})
}

// downloadFile sends a file of a version, or one that is in its package.
//
// https://learn.microsoft.com/nuget/api/package-base-address-resource#download-package-content-nupkg
func downloadFile(w http.ResponseWriter, r *protocols.Request) error {
	p, version, err := findVersion(r)
	if err != nil {
		return err
	}
	id := p.NormalizedName
	switch file := fold(r.Params["file"]); file {
	case packageFile(id, version), symbolsFile(id, version):
		return serveStored(w, r, p, version, file, "")
	case nuspecFile(id):
		return serveStored(w, r, p, version, file, "application/xml")
	case "readme":
		return serveReadme(w, r, p, version)
	case "icon", "license":
		return serveAsset(w, r, p, version, file)
	}
	return registry.Errorf(registry.NotFound, "file not found")
}

// serveReadme answers with a version's readme.
//
// https://learn.microsoft.com/nuget/api/readme-template-resource
func serveReadme(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, version string) error {
	v, err := r.Space.Version(r.Context(), p, version)
	if err != nil {
		return err
	}
	if v.Readme == "" {
		return registry.Errorf(registry.NotFound, "the package has no readme")
	}
	return serveBytes(w, r, "text/markdown; charset=utf-8", []byte(v.Readme))
}

// serveAsset answers with the icon or the license that a version's manifest
// names. They are taken out of the package, which is left as it was published.
func serveAsset(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, version, kind string) error {
	none := registry.Errorf(registry.NotFound, "the package has no %s", kind)
	v, err := r.Space.Version(r.Context(), p, version)
	if err != nil {
		return err
	}
	m, err := decodeManifest(v.Metadata)
	if err != nil {
		return err
	}
	name := m.Icon
	if kind == "license" {
		name = m.LicenseFile
	}
	if name == "" {
		return none
	}
	f, err := r.Space.File(r.Context(), p, version, packageFile(p.NormalizedName, version), "")
	if err != nil {
		return err
	}
	h := fnv.New64a()
	io.WriteString(h, name) // a hash takes everything
	etag := `"` + f.Edges.Blob.Sha256 + "-" + hex.EncodeToString(h.Sum(nil)) + `"`
	if protocols.ETagListed(r.Header.Get("If-None-Match"), etag) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	content, err := unpack(r, f, name)
	if code := registry.CodeOf(err); code == registry.Invalid || code == registry.TooLarge {
		return none
	}
	if err != nil {
		return err
	}
	contentType := "text/plain; charset=utf-8"
	if kind == "icon" {
		if contentType = http.DetectContentType(content); !strings.HasPrefix(contentType, "image/") {
			return none
		}
	}
	hd := w.Header()
	hd.Set("ETag", etag)
	hd.Set("Cache-Control", "no-cache")
	hd.Set("Vary", "Authorization")
	hd.Set("Content-Type", contentType)
	hd.Set("X-Content-Type-Options", "nosniff")
	hd.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(w, r.Request, "", f.CreatedAt, bytes.NewReader(content))
	return nil
}

// unpack returns a file of a published package. Errors: Invalid when it is not
// there, TooLarge.
func unpack(r *protocols.Request, f *ent.PackageFile, name string) ([]byte, error) {
	content, err := r.Registry.OpenBlob(r.Context(), f.Edges.Blob)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	z, err := protocols.OpenZip(content, f.Edges.Blob.Size)
	if err != nil {
		return nil, err
	}
	entry := (&archive{zip: z}).file(name)
	if entry == nil {
		return nil, registry.Errorf(registry.Invalid, "%.200q is not in the package", name)
	}
	return z.ReadFile(entry, maxAsset)
}
