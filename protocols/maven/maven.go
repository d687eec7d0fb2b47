// Package maven is the package type for Java and its neighbours: the
// repository that Maven, Gradle, sbt, Ivy, coursier and Leiningen speak to.
//
// Its central idea: clients upload files one by one and describe them in
// documents of their own, maven-metadata.xml, which parallel or interrupted
// uploads leave wrong. So the documents that clients send are looked at and
// set aside, and the ones they get are composed from the files that are here
// (metadata.go). The same goes for checksums: what clients send is compared,
// what they get is what was computed while the bytes came in (checksum.go).
//
// The layout is that of
// https://maven.apache.org/repositories/layout.html, the documents those of
// https://maven.apache.org/ref/current/maven-repository-metadata/repository-metadata.html.
// A path alone tells what is meant (path.go).
package maven

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "maven"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Maven",
			Expiry:       expiry,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes: []protocols.Route{
			{Method: http.MethodGet, Pattern: "{path...}", Action: access.Read, Handle: read},
			{Method: http.MethodPut, Pattern: "{path...}", Action: access.Write, Handle: write},
			{Method: http.MethodDelete, Pattern: "{path...}", Action: access.Delete, Handle: remove},
		},
	}
}

// read answers GET and HEAD on a file, a document or a checksum of either.
func read(w http.ResponseWriter, r *protocols.Request) error {
	l, err := locate(r)
	if err != nil {
		return registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	switch l.kind {
	case artifactDocument:
		return serveArtifactDocument(w, r, l)
	case snapshotDocument:
		return serveSnapshotDocument(w, r, l)
	}
	return download(w, r, l)
}

// write answers PUT on a file, a document or a checksum of either.
func write(w http.ResponseWriter, r *protocols.Request) error {
	l, err := locate(r)
	if err != nil {
		return err
	}
	switch {
	case l.kind == artifactDocument && l.algorithm != "":
		return done(w, http.StatusOK) // of a document that is not kept
	case l.kind == artifactDocument:
		return receiveArtifactDocument(w, r, l)
	case l.kind == snapshotDocument && l.algorithm != "":
		return compareSnapshotDocument(w, r, l)
	case l.kind == snapshotDocument:
		return receiveSnapshotDocument(w, r, l)
	case l.algorithm != "":
		return compareFile(w, r, l)
	}
	return upload(w, r, l)
}

// done is an answer that says no more than its status.
func done(w http.ResponseWriter, status int) error {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
	return nil
}
