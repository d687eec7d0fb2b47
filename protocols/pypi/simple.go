package pypi

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// apiVersion is the version of the index API that the pages follow.
const apiVersion = "1.4"

// rootURL is where the client found this index, in its own spelling of the
// owner's name: what it fetches next then lies below what it has a password
// for.
func rootURL(r *protocols.Request) string {
	return r.BaseURL + protocols.JoinPath("api", "packages", r.OwnerName, typeName)
}

// projectURL is the page of a project by its normalized name.
func projectURL(root, project string) string { return root + "/simple/" + project + "/" }

// listProjects answers with all projects that the viewer may read.
//
// https://packaging.python.org/en/latest/specifications/simple-repository-api/#project-list
func listProjects(w http.ResponseWriter, r *protocols.Request) error {
	form, err := negotiate(r)
	if err != nil {
		return err
	}
	names, err := r.Space.Names(r.Context())
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := writeList(&body, form, rootURL(r), names); err != nil {
		return err
	}
	// What is listed depends on who asks, so the page has no generation: its
	// tag is made of its bytes.
	sum := fnv.New64a()
	sum.Write(body.Bytes())
	etag := fmt.Sprintf(`"%x-%x"`, body.Len(), sum.Sum64())
	h := w.Header()
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	if protocols.ETagListed(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", form.contentType())
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body.Bytes()) // the client has it or is gone
	}
	return nil
}

// meta is the head of every JSON page.
type meta struct {
	APIVersion string `json:"api-version"`
}

// writeList writes the list of projects.
func writeList(w io.Writer, form pageType, root string, names []string) error {
	if form == jsonPage {
		type project struct {
			Name string `json:"name"`
		}
		list := struct {
			Meta     meta      `json:"meta"`
			Projects []project `json:"projects"`
		}{meta{apiVersion}, make([]project, len(names))}
		for i, name := range names {
			list.Projects[i] = project{name}
		}
		return json.NewEncoder(w).Encode(list)
	}
	out := bufio.NewWriter(w)
	writeHead(out, "Projects")
	for _, name := range names {
		fmt.Fprintf(out, "<a href=\"%s\">%s</a><br>\n", html.EscapeString(projectURL(root, name)), html.EscapeString(name))
	}
	out.WriteString("</body>\n</html>\n")
	return out.Flush()
}

// writeHead begins an HTML page; more are further lines of its head.
func writeHead(out *bufio.Writer, title string, more ...string) {
	out.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		`<meta name="pypi:repository-version" content="` + apiVersion + "\">\n")
	for _, line := range more {
		out.WriteString(line + "\n")
	}
	out.WriteString("<title>" + html.EscapeString(title) + "</title>\n</head>\n<body>\n")
}

// readProject answers with the page of a project. A name that is not in its
// normal spelling, or lacks the final slash, is sent on to the page's address.
//
// https://packaging.python.org/en/latest/specifications/simple-repository-api/#project-detail
func readProject(w http.ResponseWriter, r *protocols.Request) error {
	name := r.Params["name"]
	if !validName(name) {
		return registry.Errorf(registry.NotFound, "project not found")
	}
	project := normalizeName(name)
	p, err := r.Space.Package(r.Context(), project, access.Read)
	if registry.CodeOf(err) == registry.NotFound {
		return registry.Errorf(registry.NotFound, "project not found")
	}
	if err != nil {
		return err
	}
	root := rootURL(r)
	if name != project || !strings.HasSuffix(r.URL.Path, "/") {
		target := projectURL(root, project)
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", target)
		w.WriteHeader(http.StatusMovedPermanently)
		return nil
	}
	form, err := negotiate(r)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: fmt.Sprintf("pypi project %s %s", form, root)}
	return protocols.ServeDocument(w, r, key, form.contentType(), func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		page, err := newProjectPage(contents, root)
		if err != nil {
			return err
		}
		if form == jsonPage {
			return page.writeJSON(w)
		}
		return page.writeHTML(w)
	})
}

// projectPage is what the page of a project says.
type projectPage struct {
	root     string
	project  string
	state    registry.PackageState
	versions []string
	files    []pageFile
}

// pageFile is a file on a page.
type pageFile struct {
	entry
	url    string
	key    string // the version's sort key
	yanked bool
	reason string
}

// newProjectPage puts versions and files in the order of their versions;
// wheels before source distributions.
func newProjectPage(c *registry.Contents, root string) (*projectPage, error) {
	page := &projectPage{root: root, project: c.Package.NormalizedName, state: c.State}
	keys := map[string]string{}
	for i := range c.Versions {
		v := &c.Versions[i]
		if _, seen := keys[v.Version]; !seen {
			parsed, ok := parseVersion(v.Version)
			if !ok {
				return nil, fmt.Errorf("the stored version %q is none", v.Version)
			}
			keys[v.Version] = parsed.sortKey()
			page.versions = append(page.versions, v.Version)
		}
		if v.Fragment == nil {
			continue // its distributions are gone
		}
		e, err := decodeEntry(v.Fragment)
		if err != nil {
			return nil, fmt.Errorf("version %s: %w", v.Version, err)
		}
		page.files = append(page.files, pageFile{
			entry: e, key: keys[v.Version], yanked: v.Yanked, reason: v.StatusReason,
			url: root + protocols.JoinPath("files", page.project, v.Version, e.Filename),
		})
	}
	slices.SortStableFunc(page.versions, func(a, b string) int { return cmp.Compare(keys[a], keys[b]) })
	slices.SortFunc(page.files, func(a, b pageFile) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Filename, b.Filename))
	})
	if page.state.State == quarantined {
		page.files = nil // nobody is to install them
	}
	return page, nil
}

// timeLayout is RFC 3339 in UTC with microseconds, the most the API allows.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// hashes is the object of a file's digests.
type hashes struct {
	SHA256 string `json:"sha256"`
}

// writeJSON writes the page as PEP 691 has it, with the members of PEP 700,
// 714 and 792.
func (p *projectPage) writeJSON(w io.Writer) error {
	type file struct {
		Filename         string  `json:"filename"`
		URL              string  `json:"url"`
		Hashes           hashes  `json:"hashes"`
		RequiresPython   string  `json:"requires-python,omitempty"`
		Size             int64   `json:"size"`
		UploadTime       string  `json:"upload-time"`
		Yanked           any     `json:"yanked,omitempty"`
		CoreMetadata     *hashes `json:"core-metadata,omitempty"`
		DistInfoMetadata *hashes `json:"dist-info-metadata,omitempty"`
	}
	type status struct {
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
	}
	document := struct {
		Meta          meta     `json:"meta"`
		Name          string   `json:"name"`
		ProjectStatus status   `json:"project-status"`
		Versions      []string `json:"versions"`
		Files         []file   `json:"files"`
	}{
		Meta: meta{apiVersion}, Name: p.project,
		ProjectStatus: status{cmp.Or(p.state.State, active), p.state.Reason},
		Versions:      p.versions, Files: make([]file, len(p.files)),
	}
	for i, f := range p.files {
		out := file{
			Filename: f.Filename, URL: f.url, Hashes: hashes{f.SHA256}, RequiresPython: f.RequiresPython,
			Size: f.Size, UploadTime: f.Uploaded.UTC().Truncate(time.Microsecond).Format(timeLayout),
		}
		switch {
		case f.yanked && f.reason != "":
			out.Yanked = f.reason
		case f.yanked:
			out.Yanked = true // an empty reason would read as not yanked
		}
		if f.MetadataSHA256 != "" {
			out.CoreMetadata = &hashes{f.MetadataSHA256}
			out.DistInfoMetadata = out.CoreMetadata
		}
		document.Files[i] = out
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// writeHTML writes the page as PEP 503 has it, with the attributes of PEP 592,
// 658 and 714.
func (p *projectPage) writeHTML(w io.Writer) error {
	out := bufio.NewWriter(w)
	var more []string
	if p.state.State != "" {
		more = append(more, `<meta name="pypi:project-status" content="`+html.EscapeString(p.state.State)+`">`)
		if p.state.Reason != "" {
			more = append(more, `<meta name="pypi:project-status-reason" content="`+html.EscapeString(p.state.Reason)+`">`)
		}
	}
	writeHead(out, "Files of "+p.project, more...)
	for _, f := range p.files {
		attribute := func(name, value string) {
			out.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
		}
		out.WriteString("<a")
		attribute("href", f.url+"#sha256="+f.SHA256)
		if f.RequiresPython != "" {
			attribute("data-requires-python", f.RequiresPython)
		}
		if f.MetadataSHA256 != "" {
			attribute("data-core-metadata", "sha256="+f.MetadataSHA256)
			attribute("data-dist-info-metadata", "sha256="+f.MetadataSHA256)
		}
		if f.yanked {
			attribute("data-yanked", f.reason)
		}
		out.WriteString(">" + html.EscapeString(f.Filename) + "</a><br>\n")
	}
	out.WriteString("</body>\n</html>\n")
	return out.Flush()
}
