package cran

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// text is a text of an index as it is now. There is none of a platform that
// has no packages; its index is empty then: R complains of one that is not
// there, with each command.
type text struct {
	etag     string // without quotes
	modified time.Time
	open     func() io.Reader
}

// present finds a text of a kind's index.
func present(r *protocols.Request, k kind, path string) (*text, error) {
	snapshot, err := r.Snapshot(k.index(), protocols.IndexEntry)
	if registry.CodeOf(err) == registry.NotFound {
		return &text{"empty", r.Space.Owner.CreatedAt.Truncate(time.Second), func() io.Reader { return strings.NewReader("") }}, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := snapshot.Object(path)
	if err != nil {
		return nil, err
	}
	return &text{o.Sha256, o.Modified, func() io.Reader { return o.Open(r.Context()) }}, nil
}

// servePackages serves the index of a kind in one of its three forms.
func servePackages(w http.ResponseWriter, r *protocols.Request, k kind, file string) error {
	if file == packagesStream+".rds" {
		t, err := present(r, k, packagesStream)
		if err != nil {
			return err
		}
		return serveMade(w, r, t, "packages", writePackages)
	}
	err := protocols.ServeIndex(w, r, k.index(), file, protocols.IndexEntry)
	if registry.CodeOf(err) != registry.NotFound {
		return err
	}
	var body bytes.Buffer
	contentType := textType
	if file == packagesStream+gzipEnding {
		contentType = gzipType
		if err := gzip.NewWriter(&body).Close(); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"empty"`)
	http.ServeContent(w, r.Request, "", r.Space.Owner.CreatedAt.Truncate(time.Second), bytes.NewReader(body.Bytes()))
	return nil
}

// serveMade sends what is made of a text for the answer. It is compressed in
// itself, and its length not known before.
func serveMade(w http.ResponseWriter, r *protocols.Request, t *text, what string, make func(io.Writer, func() io.Reader) error) error {
	etag := `"` + t.etag + "-" + what + `"`
	date := t.modified.UTC().Format(http.TimeFormat)
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	h.Set("Last-Modified", date)
	match := r.Header.Get("If-None-Match")
	if match != "" && protocols.ETagListed(match, etag) || match == "" && r.Header.Get("If-Modified-Since") == date {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", rdsType)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := make(w, t.open); err != nil {
		// The head is sent: only breaking off tells that this is not all.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writePackages makes the matrix that R reads first of a PACKAGES: a row a
// record, and as columns the fields in the order in which they come up, as
// read.dcf has them.
func writePackages(w io.Writer, open func() io.Reader) error {
	var names []string
	columns := map[string][]string{}
	rows, within := 0, false
	lines := bufio.NewReader(open())
	for {
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			within = false
			continue
		}
		if !within {
			rows, within = rows+1, true
		}
		if columns[name] == nil {
			names = append(names, name)
		}
		column := columns[name]
		for len(column) < rows-1 {
			column = append(column, "")
		}
		columns[name] = append(column, value)
	}
	if rows == 0 {
		names = indexFields
	}
	all := make([][]string, len(names))
	for i, name := range names {
		all[i] = columns[name]
		for len(all[i]) < rows {
			all[i] = append(all[i], "")
		}
	}
	out := newRDS(w)
	out.matrix(names, all)
	return out.close()
}

// repositoryFile is a line of the list of files.
type repositoryFile struct {
	name     string
	size     int64
	modified int64 // seconds since 1970
}

// packageOf is the name of its package.
func (f repositoryFile) packageOf() string {
	name, _, _ := strings.Cut(f.name, "_")
	return name
}

// eachPackage calls visit for each package with its files, the lowest version
// first. The slice is good for the call alone.
func eachPackage(r io.Reader, visit func(name string, files []repositoryFile)) error {
	lines := bufio.NewReader(r)
	var files []repositoryFile
	flush := func() {
		if len(files) > 0 {
			visit(files[0].packageOf(), files)
			files = files[:0]
		}
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if line == "" {
			flush()
			return nil
		}
		f, err := parseLine(line)
		if err != nil {
			return err
		}
		if len(files) > 0 && files[0].packageOf() != f.packageOf() {
			flush()
		}
		files = append(files, f)
	}
}

func parseLine(line string) (f repositoryFile, err error) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if len(fields) != 3 {
		return f, fmt.Errorf("the line %q of the list of files is damaged", line)
	}
	f.name = fields[0]
	if f.size, err = strconv.ParseInt(fields[1], 10, 64); err == nil {
		f.modified, err = strconv.ParseInt(fields[2], 10, 64)
	}
	return f, err
}

// archiveRDS serves what R's programs know old versions by: a data frame a
// package, of all versions but the highest, the oldest first.
func archiveRDS(w http.ResponseWriter, r *protocols.Request) error {
	t, err := present(r, kind{}, filesStream)
	if err != nil {
		return err
	}
	return serveMade(w, r, t, "archive", func(w io.Writer, open func() io.Reader) error {
		var names []string
		err := eachPackage(open(), func(name string, files []repositoryFile) {
			if len(files) > 1 {
				names = append(names, name)
			}
		})
		if err != nil {
			return err
		}
		out := newRDS(w)
		out.list(len(names))
		err = eachPackage(open(), func(name string, files []repositoryFile) {
			if len(files) > 1 {
				out.files(files[:len(files)-1], func(f repositoryFile) string { return name + "/" + f.name })
			}
		})
		if err != nil {
			return err
		}
		out.endList(names)
		return out.close()
	})
}

// currentRDS serves a data frame of the highest versions.
func currentRDS(w http.ResponseWriter, r *protocols.Request) error {
	t, err := present(r, kind{}, filesStream)
	if err != nil {
		return err
	}
	return serveMade(w, r, t, "current", func(w io.Writer, open func() io.Reader) error {
		var current []repositoryFile
		err := eachPackage(open(), func(_ string, files []repositoryFile) { current = append(current, files[len(files)-1]) })
		if err != nil {
			return err
		}
		out := newRDS(w)
		out.files(current, func(f repositoryFile) string { return f.name })
		return out.close()
	})
}
