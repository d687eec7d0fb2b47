package nuget_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

// root is where the organization's packages are.
const root = "/api/packages/acme/nuget"

// entry is a file of a package.
type entry struct{ name, body string }

// pack makes a zip of the entries, in order.
func pack(tb testing.TB, entries ...entry) string {
	tb.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := archive.Create(e.name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// nuspec is a manifest; more are further elements of its metadata.
func nuspec(id, version string, more ...string) string {
	return `<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>` +
		`<id>` + id + `</id><version>` + version + `</version><authors>Ann, Wim</authors><description>A package</description>` +
		strings.Join(more, "") + `</metadata></package>`
}

// nupkg is a package with a manifest and one more file.
func nupkg(tb testing.TB, id, version string, more ...string) string {
	tb.Helper()
	return pack(tb, entry{id + ".nuspec", nuspec(id, version, more...)}, entry{"lib/netstandard2.0/" + id + ".dll", "MZ"})
}

// symbolsType is the element that makes a package one of symbols.
const symbolsType = `<packageTypes><packageType name="SymbolsPackage"/></packageTypes>`

// snupkg is a package of symbols.
func snupkg(tb testing.TB, id, version string, entries ...entry) string {
	tb.Helper()
	return pack(tb, append([]entry{{id + ".nuspec", nuspec(id, version, symbolsType)}}, entries...)...)
}

// pdb is a Portable PDB with the GUID, which is given as it lies in the file.
func pdb(guid string) string {
	id, err := hex.DecodeString(guid)
	if err != nil {
		panic(err) // a constant of a test
	}
	le := binary.LittleEndian
	var b []byte
	b = append(b, "BSJB"...)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, 12)
	b = append(b, "PDB v1.0\x00\x00\x00\x00"...)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 2)
	// Two headers, of 16 and 16 bytes.
	at := uint32(len(b) + 32)
	b = le.AppendUint32(b, at+32)
	b = le.AppendUint32(b, 8)
	b = append(b, "#GUID\x00\x00\x00"...)
	b = le.AppendUint32(b, at)
	b = le.AppendUint32(b, 32)
	b = append(b, "#Pdb\x00\x00\x00\x00"...)
	b = append(b, id...)
	return string(append(b, make([]byte, 24)...))
}

// form is a multipart form of the parts, and its content type.
func form(tb testing.TB, parts ...string) (body, contentType string) {
	tb.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i, part := range parts {
		p, err := w.CreateFormFile(fmt.Sprintf("package%d", i), "package.nupkg")
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := p.Write([]byte(part)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String(), w.FormDataContentType()
}

// testServer is a server with the packages of its organization acme.
type testServer struct {
	*servertest.Server
	tb testing.TB
}

func newServer(tb testing.TB) *testServer {
	tb.Helper()
	return &testServer{servertest.New(tb), tb}
}

// push publishes a package as wim.
func (s *testServer) push(pkg string) {
	s.tb.Helper()
	s.Want(s.tb, 201, "wim", "PUT", root, pkg)
}

// publish pushes a package of nothing but its manifest's elements.
func (s *testServer) publish(id, version string, more ...string) {
	s.tb.Helper()
	s.push(nupkg(s.tb, id, version, more...))
}

// fails wants a refusal in NuGet's dialect and returns its message.
func (s *testServer) fails(status int, login, method, path, body string, headers ...string) string {
	s.tb.Helper()
	res := s.Want(s.tb, status, login, method, path, body, headers...)
	message, _ := servertest.Decode(s.tb, res.Body)["Message"].(string)
	if message == "" {
		s.tb.Errorf("%s %s: no message in %q", method, path, res.Body)
	}
	return message
}

// object reads a JSON document.
func (s *testServer) object(path string) servertest.Object {
	s.tb.Helper()
	return servertest.Decode(s.tb, s.Want(s.tb, 200, "", "GET", path, "").Body)
}

// at follows keys and indexes into a document.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// words joins what is at a key of each item of a list.
func words(list any, key string) string {
	var all []string
	items, _ := list.([]any)
	for _, item := range items {
		if key != "" {
			item = at(item, key)
		}
		all = append(all, fmt.Sprint(item))
	}
	return strings.Join(all, " ")
}

// atomEntry and atomFeed are V2's documents, as a client reads them.
type atomEntry struct {
	ID    string `xml:"id"`
	Title string `xml:"title"`
	Links []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Content struct {
		Type string `xml:"type,attr"`
		Src  string `xml:"src,attr"`
		Text string `xml:",chardata"`
	} `xml:"content"`
	Properties struct {
		All []struct {
			XMLName xml.Name
			Type    string `xml:"type,attr"`
			Null    string `xml:"null,attr"`
			Value   string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"properties"`
}

type atomFeed struct {
	Count   int         `xml:"count"`
	Entries []atomEntry `xml:"entry"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
}

// property is the value of a property; types are told by kind.
func (e atomEntry) property(name string) string {
	for _, p := range e.Properties.All {
		if p.XMLName.Local == name {
			return p.Value
		}
	}
	return "no " + name
}

func (e atomEntry) kind(name string) string {
	for _, p := range e.Properties.All {
		if p.XMLName.Local == name {
			return p.Type
		}
	}
	return "no " + name
}

// next is the link to the next page, or "".
func (f atomFeed) next() string {
	for _, l := range f.Links {
		if l.Rel == "next" {
			return l.Href
		}
	}
	return ""
}

// versions are those of the entries, with their ids.
func (f atomFeed) versions() string {
	var all []string
	for _, e := range f.Entries {
		all = append(all, e.property("Id")+"@"+e.property("Version"))
	}
	return strings.Join(all, " ")
}

// feed reads a feed. path may have what an URL may not.
func (s *testServer) feed(path string) atomFeed {
	s.tb.Helper()
	var f atomFeed
	res := s.Want(s.tb, 200, "", "GET", escapeQuery(path), "")
	if err := xml.Unmarshal([]byte(res.Body), &f); err != nil {
		s.tb.Fatalf("%v in %.500s", err, res.Body)
	}
	return f
}

// escapeQuery escapes blanks, as clients do.
func escapeQuery(path string) string {
	if !strings.HasPrefix(path, "http") && !strings.HasPrefix(path, "/") {
		path = root + "/" + path
	}
	return strings.ReplaceAll(path, " ", "%20")
}
