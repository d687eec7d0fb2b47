package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the rooms of the house and what each may import of the others;
// docs/architecture.md draws them. Imports of tests are free.
var layers = []struct {
	room string
	may  []string
}{
	{"cmd", []string{"server", "registry", "auth", "access", "ent"}},
	{"server", []string{"protocols", "graph", "web", "registry", "auth", "access", "storage", "ent"}},
	{"protocols", []string{"registry", "auth", "access", "storage", "ent"}},
	{"graph", []string{"registry", "auth", "access", "storage", "ent"}},
	{"web", []string{"auth", "access"}},
	{"auth", []string{"registry", "access", "ent"}},
	{"registry", []string{"ent", "storage", "access"}},
	{"ent", nil},
	{"storage", nil},
	{"access", nil},
}

// TestImportsPointDownwards holds every package against the layers.
func TestImportsPointDownwards(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "entrepot/"
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		importer, ok := strings.CutPrefix(fields[0], module)
		if !ok {
			continue
		}
		from := room(importer)
		i := slices.IndexFunc(layers, func(l struct {
			room string
			may  []string
		}) bool {
			return l.room == from
		})
		if i < 0 || strings.HasSuffix(importer, "test") {
			continue // tools and test helpers
		}
		seen++
		for _, imported := range fields[1:] {
			path, ok := strings.CutPrefix(imported, module)
			if !ok {
				continue
			}
			to := room(path)
			if to != from && !slices.Contains(layers[i].may, to) {
				t.Errorf("%s imports %s: %s may import only %v", importer, path, from, layers[i].may)
			}
			if from == "protocols" && to == "ent" && path != "ent" && path != "ent/schema" {
				t.Errorf("%s imports %s: adapters ask the registry, they build no queries", importer, path)
			}
			if from == "protocols" && to == "protocols" && packageType(importer) != "" && packageType(path) != "" && packageType(importer) != packageType(path) {
				t.Errorf("%s imports %s: package types share what lies in protocols itself", importer, path)
			}
		}
	}
	if seen < len(layers) {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func room(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// packageType is the folder of a package type below protocols, or "".
func packageType(path string) string {
	rest, ok := strings.CutPrefix(path, "protocols/")
	if !ok || strings.HasPrefix(rest, "internal") {
		return ""
	}
	return room(rest)
}
