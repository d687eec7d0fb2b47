package nuget

import (
	"archive/zip"
	"errors"
	"net/http"
	"path"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a package of symbols.
const (
	maxPDBs = 1000
	// maxSymbols is the most bytes its PDBs unpack to.
	maxSymbols = 4 << 30
)

// propertySymbol is the property of a PDB with its id.
const propertySymbol = "nuget.symbol.id"

// portableAge follows the id in the keys of Portable PDBs.
const portableAge = "ffffffff"

// pushSymbols takes a package of symbols for a version that is there: all of
// it or nothing.
//
// https://learn.microsoft.com/nuget/api/symbol-package-publish-resource
func pushSymbols(w http.ResponseWriter, r *protocols.Request) error {
	content, err := receive(r)
	if err != nil {
		return err
	}
	files := []registry.File{{Content: content}}
	m, err := collectSymbols(r, content, &files)
	if err == nil {
		_, err = r.Space.Package(r.Context(), fold(m.ID), access.Read)
	}
	if err != nil {
		discard(r.Context(), r, files)
		return err
	}
	id, v := fold(m.ID), m.version.identity()
	name := symbolsFile(id, v)
	files[0].Name, files[0].NormalizedName, files[0].MediaType = name, name, "application/zip"
	_, err = r.Space.Publish(r.Context(), registry.Publication{
		Name: m.ID, NormalizedName: id, Version: m.Version, NormalizedVersion: v, SortKey: m.version.sortKey(),
		Policy: registry.AddToExisting, Files: files,
		Duplicate: "the symbols of " + m.ID + " " + m.version.String() + " are there already",
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// collectSymbols checks a package of symbols and stores each PDB in it, adding
// it to files, which are the caller's to discard in case of an error. Error:
// Invalid, naming the file at fault.
func collectSymbols(r *protocols.Request, content *registry.Stored, files *[]registry.File) (*manifest, error) {
	file, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	a, err := openArchive(file, content.Size)
	if err != nil {
		return nil, err
	}
	if !a.manifest.is(symbolsType) {
		return nil, badPackage("its manifest does not say that it is of the type %s", symbolsType)
	}
	var pdbs []*zip.File
	for _, f := range a.zip.File {
		switch strings.ToLower(path.Ext(entryPath(f.Name))) {
		case ".pdb":
			pdbs = append(pdbs, f)
		case ".dll", ".exe", ".winmd":
			return nil, badPackage("%.200q does not belong into a package of symbols", f.Name)
		}
	}
	switch {
	case len(pdbs) == 0:
		return nil, badPackage("there is no .pdb in it")
	case len(pdbs) > maxPDBs:
		return nil, badPackage("it has more than %d PDBs", maxPDBs)
	}
	left := int64(maxSymbols)
	seen := map[registry.Property]bool{}
	for _, f := range pdbs {
		stored, id, err := storePDB(r, a.zip, f, left)
		if stored != nil {
			left -= stored.Size
		}
		if err != nil {
			return nil, err
		}
		name := path.Base(entryPath(f.Name))
		key := registry.Property{Name: fold(name), Value: id}
		if seen[key] {
			r.Registry.Discard(r.Context(), stored)
			continue
		}
		seen[key] = true
		*files = append(*files, registry.File{
			Name: name, NormalizedName: fold(name), CompositeKey: id, MediaType: "application/octet-stream", Content: stored,
			Properties: []registry.Property{{Name: propertySymbol, Value: id}},
		})
	}
	return a.manifest, nil
}

// storePDB stores a PDB of an archive and reads its id. Error: Invalid.
func storePDB(r *protocols.Request, z *protocols.ZipArchive, f *zip.File, limit int64) (*registry.Stored, string, error) {
	unpacked, err := z.OpenFile(f, limit)
	if err != nil {
		return nil, "", blamePackage(err)
	}
	defer unpacked.Close()
	stored, err := r.Registry.Store(r.Context(), unpacked, -1, 0)
	if err != nil {
		return nil, "", blamePackage(err)
	}
	id, err := pdbID(r, stored)
	if err != nil {
		r.Registry.Discard(r.Context(), stored)
		if errors.Is(err, errNoPDB) || errors.Is(err, errWindowsPDB) {
			return nil, "", badPackage("%.200q: %v", f.Name, err)
		}
		return nil, "", err
	}
	return stored, id, nil
}

func pdbID(r *protocols.Request, stored *registry.Stored) (string, error) {
	content, err := r.Registry.OpenStored(r.Context(), stored)
	if err != nil {
		return "", err
	}
	defer content.Close()
	return readPDBID(content, stored.Size)
}

// downloadSymbols answers debuggers: the path has the file's name, its key, and
// its name again. The key of a Portable PDB is its id and eight times F.
//
// https://github.com/dotnet/symstore/blob/main/docs/specs/Simple_Symbol_Query_Protocol.md
func downloadSymbols(w http.ResponseWriter, r *protocols.Request) error {
	file := r.Params["file"]
	if !strings.EqualFold(file, r.Params["again"]) {
		return registry.FieldErrorf("file", "the path names two files, %.200q and %.200q", file, r.Params["again"])
	}
	id, portable := strings.CutSuffix(fold(r.Params["key"]), portableAge)
	if !portable || len(id) != 32 {
		id = "" // nothing has it; the answer is that of what is missing
	}
	f, err := r.Space.NamedFileWith(r.Context(), fold(file), registry.Property{Name: propertySymbol, Value: id})
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{Undated: true, Redirect: http.StatusFound})
}
