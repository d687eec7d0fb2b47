// Package generic is the package type for plain files: any file under a name,
// a version and a file name. It has no client of its own, so HTTP itself is
// the protocol, and curl, wget and release scripts are its clients.
//
// Files are served exactly as they were stored (download.go), published one
// by one with the digests a client may announce checked before anything is
// written (upload.go), and listed as JSON (list.go).
package generic

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:            "generic",
			Title:           "Generic",
			UploadInBrowser: true,
			Instructions:    instructions,
		},
		Routes: []protocols.Route{
			{Method: http.MethodGet, Pattern: "{name}", Action: access.Read, Handle: listVersions},
			{Method: http.MethodDelete, Pattern: "{name}", Action: access.Delete, Handle: deletePackage},
			{Method: http.MethodGet, Pattern: "{name}/{version}", Action: access.Read, Handle: listFiles},
			{Method: http.MethodDelete, Pattern: "{name}/{version}", Action: access.Delete, Handle: deleteVersion},
			{Method: http.MethodGet, Pattern: "{name}/{version}/{file}", Action: access.Read, File: fileInPath, Handle: download},
			{Method: http.MethodPut, Pattern: "{name}/{version}/{file}", Action: access.Write, Handle: upload},
			{Method: http.MethodDelete, Pattern: "{name}/{version}/{file}", Action: access.Delete, Handle: deleteFile},
		},
	}
}
