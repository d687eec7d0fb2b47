package server_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/conda/" }
	seeds["conda"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		for _, channel := range []string{"", "tools/"} {
			s.Want(t, 201, "ann", "PUT", root(owner)+channel+name+"-1.0-0.conda", condaPackage(name, "1.0"))
		}
	}
	second := func(_, name string) string { return condaPackage(name, "2.0") }
	add := func(key, path string, call sample) {
		call.path = func(owner, name string) string { return root(owner) + strings.ReplaceAll(path, "NAME", name) }
		samples["conda "+key] = call
	}
	for pattern, path := range map[string]string{"": "", "{channel...}/": "tools/"} {
		file, place := pattern+"{subdir}/{file}", path+"noarch/NAME-"
		add("GET "+file, place+"1.0-0.conda", sample{status: 200})
		add("GET t/{token}/"+file, "t/"+pathToken+"/"+place+"1.0-0.conda", sample{status: 200})
		add("DELETE "+file, place+"1.0-0.conda", sample{status: 204})
		add("POST "+file, place+"2.0-0.conda", sample{status: 201, body: second})
		add("PUT "+file+"/yank", place+"1.0-0.conda/yank", sample{status: 204})
		add("DELETE "+file+"/yank", place+"1.0-0.conda/yank", sample{status: 204})
	}
	add("PUT {file}", "NAME-2.0-0.conda", sample{status: 201, body: second})
	add("PUT {folder...}/{file}", "tools/NAME-2.0-0.conda", sample{status: 201, body: second})
	add("POST api/channels/{channel...}/upload/{file}", "api/channels/tools/upload/NAME-2.0-0.conda", sample{status: 201, body: second})
}

// condaPackage is a package that holds nothing but its index.json.
func condaPackage(name, version string) string {
	record := fmt.Sprintf(`{"name":%q,"version":%q,"build":"0","build_number":0,"subdir":"noarch"}`, name, version)
	var info, out bytes.Buffer
	archive := tar.NewWriter(&info)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: "info/index.json", Mode: 0o644, Size: int64(len(record))})
	_, _ = archive.Write([]byte(record))
	_ = archive.Close()
	z, _ := zstd.NewWriter(nil)
	stem := name + "-" + version + "-0"
	whole := zip.NewWriter(&out)
	for _, m := range []struct {
		name    string
		content []byte
	}{
		{"metadata.json", []byte(`{"conda_pkg_format_version":2}`)}, {"pkg-" + stem + ".tar.zst", nil}, {"info-" + stem + ".tar.zst", z.EncodeAll(info.Bytes(), nil)},
	} {
		f, _ := whole.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		_, _ = f.Write(m.content)
	}
	_ = whole.Close()
	return out.String()
}
