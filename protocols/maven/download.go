package maven

import (
	"net/http"
	"path"
	"time"

	"entrepot/access"
	"entrepot/protocols"
)

// mediaTypes are those of the files that clients look into.
var mediaTypes = map[string]string{
	".jar": "application/java-archive", ".war": "application/java-archive", ".ear": "application/java-archive", ".aar": "application/java-archive",
	".pom": "text/xml", ".xml": "text/xml",
	".module": "application/json", ".json": "application/json",
	".asc": "text/plain",
}

func mediaType(file string) string {
	if t, ok := mediaTypes[path.Ext(file)]; ok {
		return t
	}
	return "application/octet-stream"
}

// download sends a file, or the checksum of one.
func download(w http.ResponseWriter, r *protocols.Request, l location) error {
	p, err := r.Space.Package(r.Context(), l.name(), access.Read)
	if err != nil {
		return err
	}
	if l.algorithm != "" {
		return serveFileChecksum(w, r, p, l)
	}
	f, err := r.Space.File(r.Context(), p, l.version, l.file, "")
	if err != nil {
		return err
	}
	if at, err := time.Parse(time.RFC3339, string(f.Fragment)); err == nil {
		f.CreatedAt = at // of the bytes, not of the path
	}
	b := f.Edges.Blob
	for name, sum := range map[string]string{"X-Checksum-Md5": b.Md5, "X-Checksum-Sha1": b.Sha1, "X-Checksum-Sha512": b.Sha512} {
		if sum != "" {
			w.Header().Set(name, sum)
		}
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{
		ContentType: mediaType(f.Name), ETag: b.Sha1, Redirect: http.StatusFound,
	})
}
