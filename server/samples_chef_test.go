package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/chef" }
	headers := []string{"Content-Type", "multipart/form-data; boundary=" + chefBoundary}
	seeds["chef"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "POST", root(owner)+"/api/v1/cookbooks", chefForm(name, "1.0.0"), headers...)
	}
	const cookbook, version = "api/v1/cookbooks/{name}", "api/v1/cookbooks/{name}/versions/{version}"
	for key, call := range map[string]sample{
		"GET universe":                      {status: 200},
		"GET api/v1/universe":               {status: 200},
		"GET api/v1/cookbooks":              {status: 200},
		"GET api/v1/search":                 {status: 200},
		"GET " + cookbook:                   {status: 200},
		"GET " + cookbook + "/contingent":   {status: 200},
		"GET " + version:                    {status: 200},
		"GET " + version + "/download":      {status: 200},
		"POST api/v1/cookbooks":             {status: 201, headers: headers, body: func(_, name string) string { return chefForm(name, "2.0.0") }},
		"PUT " + cookbook + "/deprecate":    {status: 200, body: func(string, string) string { return `{"replacement":"other"}` }},
		"DELETE " + cookbook + "/deprecate": {status: 200},
		"DELETE " + version:                 {status: 200},
		"DELETE " + cookbook:                {status: 200},
	} {
		method, pattern, _ := strings.Cut(key, " ")
		for prefix, token := range map[string]string{"": "", "t/{token}/": "t/" + pathToken + "/"} {
			call.path = func(owner, name string) string {
				return root(owner) + "/" + token + strings.NewReplacer("{name}", name, "{version}", "1_0_0").Replace(pattern)
			}
			samples["chef "+method+" "+prefix+pattern] = call
		}
	}
	signedIn := func(status int) map[string]int {
		all := everybody(status)
		all[""] = 401
		return all
	}
	for key, call := range map[string]struct {
		status     int
		path, body string
	}{
		"chef GET keys":          {200, "/keys", ""},
		"chef PUT keys/{key}":    {201, "/keys/laptop", chefKey},
		"chef DELETE keys/{key}": {404, "/keys/other", ""},
	} {
		samples[key] = sample{path: func(owner, _ string) string { return root(owner) + call.path }, body: func(string, string) string { return call.body }}
		open[key] = signedIn(call.status)
	}
}

// chefKey is a public key that nobody has the private one of.
const chefKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA8ynxVVdQtq2cqHrggMpw
g9EPOIqeMEZMbTucfYPqWGfjzCwUgKzhvuTuEDx/pPrRdCHrG0aP35lsSHbjfPft
Uys2b/O0ccN5rEVWjUrkyX4gfLC5WAHSrXoMIY8sTNq8S9ukUxSqv3Cv0sltbdg0
PFnc6XLkZYdfeIQdtRKAl/nUpRVA0Qpoa/0NvJkr3uLjRyKA7Qf8T4A/ANEUNfGa
GbIjY19L0hAGVNUUidFKF5QJ0wpVd1cZAlpHFc/tPrfncejsWYK2cZXcZHqnPvuR
m6BBC3Hs+2K3ER7jLzJnPzcZn0mZEmJw0+DW8UoyXX8282K+X8DNSLgc9yFPgUsU
4wIDAQAB
-----END PUBLIC KEY-----
`

const chefBoundary = "a-boundary"

// chefForm is the form of a share.
func chefForm(name, version string) string {
	metadata := fmt.Sprintf(`{"name":%q,"version":%q}`, name, version)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	archive := tar.NewWriter(z)
	// Writing into a buffer cannot fail.
	_ = archive.WriteHeader(&tar.Header{Name: name + "/metadata.json", Mode: 0o644, Size: int64(len(metadata))})
	_, _ = archive.Write([]byte(metadata))
	_ = archive.Close()
	_ = z.Close()
	return fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=\"tarball\"; filename=\"c.tgz\"\r\n\r\n%s\r\n--%[1]s--\r\n", chefBoundary, packed.String())
}
