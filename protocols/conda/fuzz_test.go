package conda

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

func wantTold(t *testing.T, err error) {
	t.Helper()
	if code := registry.CodeOf(err); err != nil && code != registry.Invalid && code != registry.TooLarge {
		t.Errorf("what is no good gives %v", err)
	}
}

// FuzzParseRecord holds what no index may have: a null, or a field that solvers
// read in another form than theirs.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"name":"foo","version":"1.0","build":"0","build_number":0,"depends":null,"noarch":true,"x":{"y":null}}`))
	f.Add([]byte(`{"name":"foo","version":"1!1.0_+a","build":"py_0","build_number":1e3,"platform":"linux","arch":"x86","timestamp":1.7e9}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseRecord(raw)
		wantTold(t, err)
		if err != nil {
			return
		}
		encoded, err := r.encode(&registry.Stored{Size: 1})
		wantTold(t, err)
		if err != nil {
			return
		}
		var fields map[string]any
		if err := json.Unmarshal(encoded, &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			if value == nil {
				t.Errorf("%s is null in %s", name, encoded)
			}
		}
		again, err := parseRecord(encoded)
		if err != nil || again.name != r.name || again.subdir != r.subdir || again.file(tarEnding) != r.file(tarEnding) {
			t.Errorf("the record %s is read as something else: %v", encoded, err)
		}
		if name, err := parseFile(r.file(condaEnding).String()); err == nil && name != r.file(condaEnding) {
			t.Errorf("the file name %s is read as %+v", r.file(condaEnding), name)
		}
	})
}

func FuzzReadPackage(f *testing.F) {
	f.Add([]byte("BZh9"), false)
	f.Add([]byte("PK\x03\x04"), true)
	f.Fuzz(func(t *testing.T, raw []byte, isZip bool) {
		name := fileName{"foo", "1.0", "0", tarEnding}
		if isZip {
			name.ending = condaEnding
		}
		_, err := readPackage(bytes.NewReader(raw), int64(len(raw)), name)
		wantTold(t, err)
	})
}

func FuzzParseAbout(f *testing.F) {
	f.Add([]byte(`{"home":"https://example.com","keywords":["a",null],"extra":{"recipe-maintainers":"a"}}`))
	f.Add([]byte(`{"home":7,"extra":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, warning := parseAbout(raw)
		if a == nil && warning == "" {
			t.Error("nothing is kept, and nobody told")
		}
		for name, texts := range a {
			for _, text := range texts {
				if strings.ContainsRune(text, 0) || text == "" || len(text) > maxText {
					t.Errorf("%s is %q", name, text)
				}
			}
		}
		if exports, err := parseRunExports(raw); err == nil && !json.Valid(exports) {
			t.Errorf("the run exports are %s", exports)
		}
	})
}

// FuzzParseFile holds that a file's name is read in one way.
func FuzzParseFile(f *testing.F) {
	f.Add("foo-1.0-0.conda")
	f.Add("ld_impl_linux-64-2.40-h41732ed_0.tar.bz2")
	f.Fuzz(func(t *testing.T, file string) {
		name, err := parseFile(file)
		wantTold(t, err)
		if err == nil && name.String() != file {
			t.Errorf("%q is read as %+v", file, name)
		}
	})
}

// ordered are versions from the lowest to the highest; those on one line are
// equal. The long run is the example of the proposal.
var ordered = [][]string{
	{"0.4", "0.4.0", "0.4.0_0", "0_4"}, {"0.4.1.rc", "0.4.1.RC"}, {"0.4.1"}, {"0.5a1"}, {"0.5b3"}, {"0.5C1", "0.5c1"}, {"0.5"}, {"0.9.6"}, {"0.960923"},
	{"1.0dev"}, {"1.0_"}, {"1.0a"}, {"1.0a1"}, {"1.0.dev.1"}, {"1.0.dev1"}, {"1.0.a"}, {"1.0.0.a"}, {"1.0", "1", "01.00", "1.0.0", "1.0+0"},
	{"1.0+1"}, {"1.0+2.x"}, {"1.0+2"}, {"1.0.0.5"}, {"1.0.1_"}, {"1.0.1a"}, {"1.0.1"},
	{"1.1dev1"}, {"1.1_"}, {"1.1a1"}, {"1.1.0dev1", "1.1.dev1"}, {"1.1.a1"}, {"1.1.0rc1"}, {"1.1.0", "1.1"}, {"1.1.0post1", "1.1.post1"}, {"1.1post1"},
	{"1.2a0b"}, {"1.2a"}, {"1.2"}, {"1.9"}, {"1.10"}, {"1996.07.12"}, {"20260101.1"}, {"99999999999999999999.1"},
	{"1!0.4.1"}, {"1!3.1.1.6"}, {"2!0.4.1"}, {"10!0"},
}

func TestSortKeyIsTheOrderOfVersions(t *testing.T) {
	for i, line := range ordered {
		for _, a := range line {
			if err := checkVersion(a); err != nil {
				t.Errorf("%s: %v", a, err)
			}
			for j, other := range ordered {
				for _, b := range other {
					if got, want := cmp.Compare(sortKey(a), sortKey(b)), cmp.Compare(i, j); got != want {
						t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	for _, bad := range []string{"", ".", "1.", ".1", "1..2", "1._2", "1!", "!1", "a!1", "1!2!3", "1+", "1+2+3", "+1", "1-2", "1 2", "1é", strings.Repeat("1", 65)} {
		if err := checkVersion(bad); err == nil {
			t.Errorf("%q is a version", bad)
		}
	}
	// The longest keys are not cut.
	for _, long := range []string{strings.Repeat("a.", 31) + "1", strings.Repeat("a1", 32), strings.Repeat("0.", 31) + "a", strings.Repeat("1.", 31) + "1"} {
		if n := len(sortKey(long)); n == 0 || n > 512 {
			t.Errorf("the key of %s has %d bytes", long, n)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"foo", "_libgcc_mutex", "ld_impl_linux-64", "backports.zoneinfo", "r-base", "x264", "7zip", "a-", strings.Repeat("a", 64)} {
		if err := checkName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "__glibc", "_", "-a", ".a", "a--b", "a-_b", "A", "a b", "ä", strings.Repeat("a", 65)} {
		if checkName(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
	// Clients cut URLs at these words: neither channels nor owners may have them.
	for _, word := range append([]string{tokenPath}, knownSubdirs...) {
		if checkChannel("x/"+word) == nil || access.ValidOwnerName(word) || access.ValidOwnerName(strings.ToUpper(word)) {
			t.Errorf("%s may be part of a URL", word)
		}
		if word != tokenPath && !isSubdir(word) {
			t.Errorf("%s is no subdir", word)
		}
	}
}

func TestInstructions(t *testing.T) {
	in := registry.InstructionsInput{BaseURL: "http://host:8080", Owner: "acme", Package: &ent.Pkg{Name: "tools/foo"}, Version: &ent.PackageVersion{Version: "1!2.0"}}
	text := func(in registry.InstructionsInput) string {
		var b strings.Builder
		for _, i := range instructions(in) {
			for _, s := range i.Steps {
				if (s.SecretPlaceholder != "") != strings.Contains(s.Body, placeholder) {
					t.Errorf("the step %q has the placeholder %q", s.Body, s.SecretPlaceholder)
				}
				b.WriteString(i.Title + " " + i.Client + ": " + s.Body + "\n")
			}
		}
		return b.String()
	}
	for _, want := range []string{
		"  - http://host:8080/api/packages/acme/conda/tools\n", "conda install -c http://host:8080/api/packages/acme/conda/tools 'foo=1!2.0'",
		"pixi add 'foo==1!2.0'", "--upload-file foo-1.0-0.conda http://host:8080/api/packages/acme/conda/tools/foo-1.0-0.conda",
		"rattler-build upload quetz --url http://host:8080/api/packages/acme/conda --channel tools --api-key TOKEN",
	} {
		if got := text(in); !strings.Contains(got, want) {
			t.Errorf("the instructions lack %q:\n%s", want, got)
		}
	}
	in.Private, in.Package, in.Version = true, nil, nil
	for _, want := range []string{"  - http://host:8080/api/packages/acme/conda/t/TOKEN\n", "pixi auth login host:8080 --token TOKEN"} {
		if got := text(in); !strings.Contains(got, want) {
			t.Errorf("the instructions lack %q:\n%s", want, got)
		}
	}
}
