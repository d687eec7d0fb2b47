package helm

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const jsonType = "application/json"

// listCharts serves the index as JSON: names to lists of entries, ?offset and
// ?limit in names. It is made line by line of index.yaml, whose entries are
// JSON already.
func listCharts(w http.ResponseWriter, r *protocols.Request) error {
	offset, err := number(r, "offset", 0)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", -1)
	if err != nil {
		return err
	}
	t, err := present(r)
	if err != nil {
		return err
	}
	return protocols.ServeFilled(w, r, protocols.Filled{
		Sha256:      fmt.Sprintf("%s as JSON from %d, %d", t.sha256, offset, limit),
		ContentType: jsonType, Modified: t.modified, Generation: t.generation, Marks: marks(r),
		Write: func(w io.Writer) error { return indexAsJSON(w, t.open(), offset, limit) },
	})
}

// number is a parameter that counts; the fallback stands for none.
func number(r *protocols.Request, name string, fallback int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, registry.FieldErrorf(name, "%s: want a number from 0 on", name)
	}
	return n, nil
}

// indexAsJSON turns an index.yaml of ours into JSON, without its first names,
// and with at most limit of them; all if that is negative.
func indexAsJSON(w io.Writer, yaml io.Reader, offset, limit int) error {
	out := bufio.NewWriter(w)
	lines := bufio.NewReaderSize(yaml, 64<<10)
	names, shown, entries := 0, 0, 0
	out.WriteByte('{') // errors stay with out until Flush
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) == 0 {
			break
		}
		if entry, ok := bytes.CutPrefix(line, []byte(linePrefix)); ok {
			if names <= offset || limit >= 0 && names > offset+limit {
				continue
			}
			if entries++; entries > 1 {
				out.WriteByte(',')
			}
			out.Write(bytes.TrimSuffix(entry, []byte("\n")))
			continue
		}
		name, ok := bytes.CutPrefix(line, []byte(namePrefix))
		if !ok {
			continue // what stands around the entries
		}
		if names++; names <= offset || limit >= 0 && names > offset+limit {
			continue
		}
		if shown++; shown > 1 {
			out.WriteString("],")
		}
		entries = 0
		out.WriteByte('"')
		out.Write(bytes.TrimSuffix(name, []byte(nameSuffix)))
		out.WriteString(`":[`)
	}
	if shown > 0 {
		out.WriteByte(']')
	}
	out.WriteString("}\n")
	return out.Flush()
}

// listVersions serves the entries of one chart, the newest first.
func listVersions(w http.ResponseWriter, r *protocols.Request) error {
	p, err := r.Space.Package(r.Context(), r.Params["name"], access.Read)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: "versions " + root(r)}
	return protocols.ServeDocument(w, r, key, jsonType, func(ctx context.Context, w io.Writer) error {
		return writeVersions(ctx, w, r, p)
	})
}

func writeVersions(ctx context.Context, w io.Writer, r *protocols.Request, p *ent.Pkg) error {
	contents, err := r.Space.Contents(ctx, p)
	if err != nil {
		return err
	}
	type versioned struct {
		registry.VersionFragment
		semver *semver.Version
	}
	var versions []versioned
	for _, v := range contents.Versions {
		parsed, err := parseVersion(v.NormalizedVersion)
		if err != nil || len(v.Fragment) == 0 {
			continue // its chart's file was deleted alone
		}
		versions = append(versions, versioned{v, parsed})
	}
	slices.SortFunc(versions, func(a, b versioned) int {
		return cmp.Or(b.semver.Compare(a.semver), cmp.Compare(b.ID, a.ID))
	})
	out := bufio.NewWriter(marks(r).Fill(w))
	for i, v := range versions {
		before := byte(',')
		if i == 0 {
			before = '['
		}
		entry, err := dated(v.Fragment, v.CreatedAt)
		if err != nil {
			return err
		}
		out.WriteByte(before) // errors stay with out until Flush
		out.Write(entry)
	}
	if len(versions) == 0 {
		out.WriteByte('[')
	}
	out.WriteString("]\n")
	return out.Flush()
}

// showVersion serves the entry of one version.
func showVersion(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := find(r, access.Read)
	if err != nil {
		return err
	}
	entry, err := dated(f.Fragment, f.CreatedAt)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := marks(r).Fill(&b).Write(append(entry, '\n')); err != nil {
		return err
	}
	return send(w, r, jsonType, b.Bytes())
}

// send answers with a small body made for the request.
func send(w http.ResponseWriter, r *protocols.Request, contentType string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r.Request, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// errFound ends a walk early.
var errFound = errors.New("found")

// showValues serves the values.yaml of a version, out of its chart.
func showValues(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := find(r, access.Read)
	if err != nil {
		return err
	}
	var values []byte
	err = walkStored(r, f, func(m member) (err error) {
		if m.name != "values.yaml" {
			return nil
		}
		if values, err = readUpTo(m.body, maxFile); err != nil {
			return err
		}
		return errFound
	})
	switch {
	case err == nil:
		return registry.Errorf(registry.NotFound, "the chart has no values.yaml")
	case !errors.Is(err, errFound):
		return err
	}
	return send(w, r, yamlType, values)
}

// template is a file as ChartMuseum shows it; the data are in base64.
type template struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// showTemplates serves the templates of a version, out of its chart, one after
// the other.
func showTemplates(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := find(r, access.Read)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	before := "["
	err = walkStored(r, f, func(m member) error {
		if !strings.HasPrefix(m.name, "templates/") {
			return nil
		}
		data, err := readUpTo(m.body, maxFile)
		if err != nil {
			return err
		}
		body, err := json.Marshal(template{protocols.CleanText(m.name), data})
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, before+string(body))
		before = ","
		return err
	})
	if err != nil {
		// The head is sent: only breaking off tells that this is not all.
		panic(http.ErrAbortHandler)
	}
	if before == "[" {
		io.WriteString(w, "[")
	}
	io.WriteString(w, "]\n") // the client has it or is gone
	return nil
}

// walkStored walks through a chart that is published.
func walkStored(r *protocols.Request, f *ent.PackageFile, visit func(member) error) error {
	body, err := r.Registry.OpenBlob(r.Context(), f.Edges.Blob)
	if err != nil {
		return err
	}
	defer body.Close()
	return walk(body, visit)
}

// deleteVersion removes a chart and its signature.
func deleteVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, f, err := find(r, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteVersions(r.Context(), p, []string{f.Edges.Version.NormalizedVersion}, nil); err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]bool{"deleted": true})
	return nil
}
