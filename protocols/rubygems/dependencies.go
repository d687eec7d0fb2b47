package rubygems

import (
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// maxAsked is the most gems of one request.
const maxAsked = 200

// needing is what the dependency API says of a file.
type needing struct {
	Name         string      `json:"name"`
	Number       string      `json:"number"`
	Platform     string      `json:"platform"`
	Dependencies [][2]string `json:"dependencies"`
}

// dependenciesMarshal answers with what the files of some gems need to run: the
// API of Bundler before there were lists, to which it falls back.
func dependenciesMarshal(w http.ResponseWriter, r *protocols.Request) error {
	files, err := needed(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", binaryType)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("gems") == "" { // Bundler asks whether the API is there
		h.Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		return nil
	}
	m := newMarshal()
	m.array(len(files))
	for _, f := range files {
		m.hash(4)
		m.symbol("name")
		m.text(f.Name)
		m.symbol("number")
		m.text(f.Number)
		m.symbol("platform")
		m.text(f.Platform)
		m.symbol("dependencies")
		m.array(len(f.Dependencies))
		for _, d := range f.Dependencies {
			m.texts(d[:])
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(m.b)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(m.b) // the client has it or is gone
	}
	return nil
}

// dependenciesJSON is dependenciesMarshal in JSON.
func dependenciesJSON(w http.ResponseWriter, r *protocols.Request) error {
	files, err := needed(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, files)
	return nil
}

// needed reads what the gems of the query need. Those that are not there, or
// that the viewer may not read, are left out.
func needed(r *protocols.Request) ([]needing, error) {
	files := []needing{}
	asked := map[string]bool{}
	var keys []string
	for name := range strings.SplitSeq(r.URL.Query().Get("gems"), ",") {
		if validName(name) && !asked[name] {
			asked[name] = true
			keys = append(keys, fold(name))
		}
	}
	if len(keys) > maxAsked {
		return nil, &protocols.StatusError{Status: http.StatusUnprocessableEntity,
			Err: registry.Errorf(registry.Invalid, "Too many gems! (use --full-index instead): at most %d at once", maxAsked)}
	}
	if len(keys) == 0 {
		return files, nil
	}
	packages, err := r.Space.Packages(r.Context(), keys)
	if err != nil || len(packages) == 0 {
		return files, err
	}
	names := map[int64]string{}
	for _, p := range packages {
		if asked[p.Name] {
			names[p.ID] = p.Name
		}
	}
	rows, err := r.Space.LeadFiles(r.Context(), packages...)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		name, ok := names[row.PackageID]
		if !ok {
			continue
		}
		line, err := fragmentLine(row.Fragment)
		if err != nil {
			return nil, err
		}
		files = append(files, needing{name, row.Version, row.CompositeKey, lineDependencies(line)})
	}
	return files, nil
}
