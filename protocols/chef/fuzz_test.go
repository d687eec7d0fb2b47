package chef

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"testing"

	"entrepot/registry"
)

// packed is an archive of one file.
func packed(f *testing.F, name, body string) []byte {
	f.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write([]byte(body)); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}

// FuzzArchive looks into anything: it must not fail but by refusing.
func FuzzArchive(f *testing.F) {
	f.Add(packed(f, "./foo/metadata.json", `{"name":"foo","version":"1.0"}`))
	f.Add(packed(f, "foo/README.md", "text"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		a, err := inspect(bytes.NewReader(archive))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("error = %v, which blames the server", err)
			}
			return
		}
		if !validName(a.metadata.name) {
			t.Errorf("name = %q", a.metadata.name)
		}
	})
}

// FuzzMetadata reads anything as metadata: what is taken can be told again.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"name":"foo","version":"1.2.3","dependencies":{"bar":"~> 1.0"},"platforms":{"ubuntu":[">= 20.04"]},"gems":[["json",{"require":false}]],"eager_load_libraries":true,"chef_versions":[[">= 15"]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseMetadata(raw)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Error(err)
			}
			return
		}
		a := archive{metadata: m}
		body, err := json.Marshal([]any{m.record("Other"), a.kept("Other"), a.facts("Other")})
		if err != nil || bytes.Contains(body, []byte(`\u0000`)) {
			t.Errorf("%s (%v)", body, err)
		}
		for name, constraint := range m.dependencies {
			if again, ok := parseConstraint(constraint); !validName(name) || !ok || again != constraint {
				t.Errorf("dependency %q %q", name, constraint)
			}
		}
	})
}

// FuzzSignature reads anything as the headers of a signature.
func FuzzSignature(f *testing.F) {
	f.Add("algorithm=sha1;version=1.0;", "1", "QUJD", "ann")
	f.Add("version=1.3", "0", "QUJD", "ann")
	f.Fuzz(func(t *testing.T, description, number, line, user string) {
		h := http.Header{"X-Ops-Sign": {description}, "X-Ops-Userid": {user}, "X-Ops-Content-Hash": {"x"}, linePrefix + number: {line}}
		s, err := parseSignature(h)
		if err != nil && registry.CodeOf(err) != registry.Unauthenticated {
			t.Error(err)
		}
		if s != nil && (number != "1" || len(s.value) == 0 || s.user == "") {
			t.Errorf("signature = %+v", s)
		}
	})
}

// FuzzKey reads anything as a public key.
func FuzzKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMDwwDQYJKoZIhvcNAQEBBQADKwAwKAIhAMbz\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if key, err := parsePublicKey(raw); err == nil && key.N == nil {
			t.Error("a key without a modulus")
		}
	})
}
