//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
)

// publishPypi uploads a wheel the way twine does.
func publishPypi(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	wheel, err := wheelArchive(name, version)
	if err != nil {
		return nil, err
	}
	file := distributionName(name) + "-" + version + "-py3-none-any.whl"
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{
		{":action", "file_upload"}, {"protocol_version", "1"}, {"name", name}, {"version", version},
		{"filetype", "bdist_wheel"}, {"sha256_digest", fmt.Sprintf("%x", sha256.Sum256(wheel))},
	} {
		if err := form.WriteField(field[0], field[1]); err != nil {
			return nil, err
		}
	}
	part, err := form.CreateFormFile("content", file)
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(wheel); err != nil {
		return nil, err
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/pypi"
	_, err = s.Want(ctx, http.StatusCreated, Call{
		Method: "POST", URL: root + "/", As: as, Body: reader(body.Bytes()),
		Header: map[string]string{"Content-Type": form.FormDataContentType()},
	})
	return []Published{{root + "/files/" + name + "/" + version + "/" + file, sha256.Sum256(wheel)}}, err
}

// distributionName is a project's name as the names of its files have it.
func distributionName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// wheelArchive packs a wheel of one module.
func wheelArchive(name, version string) ([]byte, error) {
	info := distributionName(name) + "-" + version + ".dist-info/"
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{distributionName(name) + ".py", fmt.Appendf(nil, "# %s\n", randomBytes(1+rand.IntN(32<<10)))},
		{info + "METADATA", fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version)},
		{info + "WHEEL", []byte("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")},
	} {
		w, err := archive.Create(file.name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pythonSettings keep pip, uv, twine and poetry from the public index, from
// prompts and from the machine's keyring.
var pythonSettings = map[string]string{
	"PIP_INDEX_URL":                 nowhere + "simple/",
	"PIP_DISABLE_PIP_VERSION_CHECK": "1",
	"PIP_NO_INPUT":                  "1",
	"PIP_RETRIES":                   "0",
	"UV_DEFAULT_INDEX":              nowhere + "simple/",
	"UV_HTTP_RETRIES":               "0",
	"UV_PYTHON_DOWNLOADS":           "never",
	"TWINE_NON_INTERACTIVE":         "1",
	"POETRY_NO_INTERACTION":         "1",
	"POETRY_VIRTUALENVS_IN_PROJECT": "1",
	"PYTHON_KEYRING_BACKEND":        "keyring.backends.null.Keyring",
}
