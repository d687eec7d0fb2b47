package pypi

import (
	"encoding/json"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestInstructions(t *testing.T) {
	in := registry.InstructionsInput{
		BaseURL: "http://host:8080", Owner: "Acme", Package: &ent.Pkg{Name: "My.Pkg"}, Version: &ent.PackageVersion{Version: "1!1.0"},
	}
	text := func(in registry.InstructionsInput) string {
		var b strings.Builder
		for _, i := range instructions(in) {
			for _, s := range i.Steps {
				b.WriteString(i.Client + ", " + i.Title + ": " + s.Path + " " + s.Body + "\n")
				if (s.SecretPlaceholder != "") != strings.Contains(s.Body, placeholder) {
					t.Errorf("the step %q has the placeholder %q", s.Body, s.SecretPlaceholder)
				}
			}
		}
		return b.String()
	}
	public := text(in)
	for _, want := range []string{
		"pip, Set up: ~/.config/pip/pip.conf [global]\nindex-url = http://host:8080/api/packages/Acme/pypi/simple/\n",
		"pip, Install:  pip install --index-url http://host:8080/api/packages/Acme/pypi/simple/ --trusted-host host 'My.Pkg==1!1.0'\n",
		"my-pkg = { index = \"entrepot\" }\n", "uv, Install:  uv add 'My.Pkg==1!1.0'\n", "poetry, Install:  poetry add --source entrepot 'My.Pkg==1!1.0'\n",
		"repository = http://host:8080/api/packages/Acme/pypi/\nusername = __token__\npassword = TOKEN\n", "twine upload --repository entrepot dist/*\n",
	} {
		if !strings.Contains(public, want) {
			t.Errorf("%q is not in\n%s", want, public)
		}
	}
	if strings.Contains(public, "__token__:") || strings.Contains(public, "UV_INDEX") {
		t.Errorf("instructions to read what is public name a token:\n%s", public)
	}
	in.Private, in.BaseURL = true, "https://host"
	private := text(in)
	for _, want := range []string{"index-url = https://__token__:TOKEN@host/api/packages/Acme/pypi/simple/\n", "UV_INDEX_ENTREPOT_PASSWORD=TOKEN", "poetry config http-basic.entrepot __token__ TOKEN"} {
		if !strings.Contains(private, want) {
			t.Errorf("%q is not in\n%s", want, private)
		}
	}
	if strings.Contains(private, "--trusted-host") {
		t.Errorf("instructions for a server with TLS trust any:\n%s", private)
	}
	in.Package, in.Version = nil, nil
	if none := text(in); strings.Contains(none, ", Install: ") || !strings.Contains(none, "twine, Publish") {
		t.Errorf("instructions without a package:\n%s", none)
	}
}

func TestFacts(t *testing.T) {
	m, err := parseMetadata([]byte("Metadata-Version: 2.4\nName: a\nVersion: 1\nRequires-Python: >=3.9\nProvides-Extra: test\nProvides-Extra: docs\n" +
		"Platform: any\nClassifier: Topic :: Software :: Build\nProject-URL: Docs, https://example.com/docs\nImport-Name: a\n"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(newMetadata(m))
	if err != nil {
		t.Fatal(err)
	}
	all, err := facts(&ent.PackageVersion{Metadata: raw})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range all {
		got[f.Name] = f.Value
		for _, row := range f.Rows {
			got[f.Name] += strings.Join(row, "|")
		}
	}
	for name, want := range map[string]string{
		"requires-python": ">=3.9", "extras": "test, docs", "platforms": "", "imports": "a",
		"links": "Docs|https://example.com/docs", "classifiers": "Topic|Software :: Build",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if _, err := facts(&ent.PackageVersion{Metadata: []byte("[]")}); err == nil {
		t.Error("facts of metadata that is no object")
	}
	if all, err := facts(&ent.PackageVersion{}); err != nil || len(all) != 0 {
		t.Errorf("facts of nothing: %v, %v", all, err)
	}
}
