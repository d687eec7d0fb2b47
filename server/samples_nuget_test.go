package server_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"entrepot/server/servertest"
)

func init() {
	root := func(owner string) string { return "/api/packages/" + owner + "/nuget" }
	seeds["nuget"] = func(t *testing.T, s *servertest.Server, owner, name string) {
		t.Helper()
		s.Want(t, 201, "ann", "PUT", root(owner), nugetBody(name, "1.0.0"))
		s.Want(t, 201, "ann", "PUT", root(owner), nugetBody(name, "1.1.0"))
		s.Want(t, 201, "ann", "PUT", root(owner)+"/symbolpackage", nugetSymbols(name, "1.1.0"))
	}
	fixed := func(path string) func(owner, name string) string {
		return func(owner, _ string) string { return root(owner) + path }
	}
	at := func(before, after string) func(owner, name string) string {
		return func(owner, name string) string { return root(owner) + before + name + after }
	}
	for key, call := range map[string]sample{
		"nuget GET index.json":   {path: fixed("/index.json")},
		"nuget GET ":             {path: fixed("")},
		"nuget GET $metadata":    {path: fixed("/$metadata")},
		"nuget GET query":        {path: fixed("/query?q=x"), status: 200},
		"nuget GET autocomplete": {path: fixed("/autocomplete?q=x"), status: 200},

		"nuget GET registration/{id}/index.json":           {path: at("/registration/", "/index.json"), status: 200},
		"nuget GET registration/{id}/page/{lower}/{upper}": {path: at("/registration/", "/page/1.0.0/1.1.0.json"), status: 200},
		"nuget GET registration/{id}/{version}":            {path: at("/registration/", "/1.0.0.json"), status: 200},
		"nuget GET package/{id}/index.json":                {path: at("/package/", "/index.json"), status: 200},
		"nuget GET package/{id}/{version}":                 {path: at("/package/", "/1.0.0"), status: 200},
		"nuget GET package/{id}/{version}/{file}": {path: func(owner, name string) string {
			return root(owner) + "/package/" + name + "/1.0.0/" + name + ".nuspec"
		}, status: 200},
		"nuget GET symbols/{file}/{key}/{again}": {path: fixed("/symbols/a.pdb/00000000000000000000000000000000ffffffff/a.pdb"), status: 200},

		"nuget PUT ":                    {path: fixed("/"), body: func(_, name string) string { return nugetBody(name, "2.0.0") }, status: 201},
		"nuget PUT symbolpackage":       {path: fixed("/symbolpackage"), body: func(_, name string) string { return nugetSymbols(name, "1.0.0") }, status: 201},
		"nuget DELETE {id}/{version}":   {path: at("/", "/1.0.0"), status: 204},
		"nuget POST {id}/{version}":     {path: at("/", "/1.0.0"), status: 200},
		"nuget GET {resource}":          {path: fixed("/Packages()"), status: 200},
		"nuget GET {resource}/$count":   {path: fixed("/Packages()/$count"), status: 200},
		"nuget GET {resource}/Download": {path: at("/Packages(Id='", "',Version='1.0')/Download"), status: 200},
	} {
		samples[key] = call
	}
	for _, route := range []string{"index.json", "", "$metadata"} {
		open["nuget GET "+route] = everybody(200)
	}
}

// nugetBody is a package with nothing in it.
func nugetBody(name, version string) string {
	return nugetPackage(name, version, "")
}

// nugetSymbols is a package of symbols with a Portable PDB whose id is 0.
func nugetSymbols(name, version string) string {
	pdb := append([]byte("BSJB\x01\x00\x01\x00\x00\x00\x00\x00\x04\x00\x00\x00PDB\x00\x00\x00\x01\x00"), 40, 0, 0, 0, 16, 0, 0, 0)
	pdb = append(pdb, "#Pdb\x00\x00\x00\x00"...)
	pdb = append(pdb, make([]byte, 16)...)
	binary.LittleEndian.PutUint32(pdb[24:], uint32(len(pdb)-16))
	return nugetPackage(name, version, `<packageTypes><packageType name="SymbolsPackage"/></packageTypes>`, "a.pdb", string(pdb))
}

func nugetPackage(name, version, more string, file ...string) string {
	manifest := fmt.Sprintf("<package><metadata><id>%s</id><version>%s</version>%s</metadata></package>", name, version, more)
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	file = append([]string{name + ".nuspec", manifest}, file...)
	for i := 0; i < len(file); i += 2 {
		// Writing into a buffer cannot fail.
		w, _ := archive.Create(file[i])
		_, _ = w.Write([]byte(file[i+1]))
	}
	_ = archive.Close()
	return out.String()
}
