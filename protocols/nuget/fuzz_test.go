package nuget

import (
	"strings"
	"testing"

	"entrepot/registry"
)

func FuzzVersion(f *testing.F) {
	f.Add("1.0", "1.0.0-rc.1+x")
	f.Add("1.0.0.1-01", "2147483647")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, ok := parseVersion(a)
		w, alsoOK := parseVersion(b)
		if !ok || !alsoOK {
			return
		}
		again, ok := parseVersion(v.String())
		if !ok || again.compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q is %q, which is %v, %v", a, v, again, ok)
		}
		if v.compare(w) != -w.compare(v) || strings.Compare(v.sortKey(), w.sortKey()) != v.compare(w) {
			t.Errorf("%q and %q: %d, %d, keys %q and %q", a, b, v.compare(w), w.compare(v), v.sortKey(), w.sortKey())
		}
	})
}

func FuzzNuspec(f *testing.F) {
	f.Add([]byte(`<package><metadata><id>A</id><version>1.0</version><dependencies><group targetFramework="net8.0"/></dependencies></metadata></package>`))
	f.Add([]byte("\xff\xfe<\x00p\x00>\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseNuspec(raw)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("%v is not told to the client", err)
			}
			return
		}
		if !validID(m.ID) || len(m.PackageTypes) == 0 {
			t.Errorf("%+v", m)
		}
		if fragment := render(m); len(fragment) == 0 {
			t.Error("nothing is rendered")
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add("PK\x05\x06" + strings.Repeat("\x00", 18))
	f.Add("PK\x03\x04")
	f.Fuzz(func(t *testing.T, content string) {
		a, err := openArchive(strings.NewReader(content), int64(len(content)))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("%v is not told to the client", err)
			}
			return
		}
		if _, err := a.readme(); err != nil {
			t.Errorf("readme: %v", err)
		}
	})
}

func FuzzPDB(f *testing.F) {
	f.Add("BSJB\x01\x00\x01\x00\x00\x00\x00\x00\x04\x00\x00\x00v1\x00\x00\x00\x00\x01\x00\x20\x00\x00\x00\x10\x00\x00\x00#Pdb\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, content string) {
		id, err := readPDBID(strings.NewReader(content), int64(len(content)))
		if err == nil && (len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "") {
			t.Errorf("id %q", id)
		}
	})
}

func FuzzFilter(f *testing.F) {
	f.Add("(tolower(Id) eq 'a''b') and not (IsLatestVersion or substringof('x', Tags) eq true)")
	f.Add("NormalizedVersion ge '1.0' and Title ne null")
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := parseFilter(text)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("%v is not told to the client", err)
			}
			return
		}
		e := &entity{row: row{manifest: &manifest{Tags: []string{"x"}}}}
		e.Name, e.Version = "A", "1.0"
		holds := filter.holds(e)
		if holds && filter.names != nil {
			found := false
			for _, name := range filter.names {
				found = found || name == "a"
			}
			if !found {
				t.Errorf("%q holds for a package that is not among %q", text, filter.names)
			}
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add("Packages(Id='a',Version='1.0')")
	f.Fuzz(func(t *testing.T, resource string) {
		if id, v, ok := parseKey(resource); ok && !strings.Contains(resource, "Id") {
			t.Errorf("%q is %q, %q", resource, id, v)
		}
	})
}
