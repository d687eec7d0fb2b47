package golang

import (
	"archive/zip"
	"bytes"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxReadme   = 1 << 20
	maxPackages = 5000
	// maxClause is how much of a source file is read for its package clause.
	maxClause = 64 << 10
)

// inspected is what an uploaded zip says of itself.
type inspected struct {
	module.Version
	// goMod is the go.mod as clients get it; one is made up for a module that
	// has none.
	goMod []byte
	file  *modfile.File
	// zipSum and modSum are what go.sum says of the two.
	zipSum, modSum string
	readme         string
	license        string
	// packages are the import paths of the module, commands those of them
	// that are programs.
	packages, commands []string
}

func badZip(format string, args ...any) error {
	return registry.FieldErrorf("zip", "this is no module zip: "+format, args...)
}

// inspect checks a spooled module zip as the go command will.
// https://go.dev/ref/mod#zip-files. Errors: Invalid for what the command would
// not take, TooLarge for more than it would.
func inspect(f *os.File, size int64) (*inspected, error) {
	z, err := protocols.OpenZip(f, size)
	if err != nil {
		return nil, err
	}
	if len(z.File) == 0 {
		return nil, badZip("it is empty")
	}
	in := &inspected{}
	if in.Version, err = identify(z.File[0].Name); err != nil {
		return nil, err
	}
	for _, entry := range z.File {
		if mode := entry.Mode(); mode&fs.ModeType&^fs.ModeDir != 0 {
			return nil, badZip("%.200q is neither a file nor a folder", entry.Name)
		}
	}
	checked, err := modzip.CheckZip(in.Version, f.Name())
	if checked.SizeError != nil {
		return nil, registry.Errorf(registry.TooLarge, "%v", checked.SizeError)
	}
	if err != nil {
		return nil, badZip("%s", cut(err.Error()))
	}
	if err := in.readGoMod(z); err != nil {
		return nil, err
	}
	// This reads every file, and finds those that are not as long, or not of
	// the checksum, that the list says.
	if in.zipSum, err = dirhash.HashZip(f.Name(), dirhash.Hash1); err != nil {
		return nil, badZip("%s", cut(err.Error()))
	}
	return in, in.look(z)
}

// identify reads the module and the version off the name of an entry, which is
// "module@version/file".
func identify(entry string) (module.Version, error) {
	name, rest, ok := strings.Cut(entry, "@")
	version, _, inside := strings.Cut(rest, "/")
	if !ok || !inside {
		return module.Version{}, badZip("its entry %.200q does not lie in a folder named module@version", entry)
	}
	if len(name) > maxPath || !isCanonical(version) {
		return module.Version{}, badZip("%.200q is no version in its canonical form, as v1.2.3", version)
	}
	if err := module.Check(name, version); err != nil {
		return module.Version{}, badZip("%s", cut(err.Error()))
	}
	return module.Version{Path: name, Version: version}, nil
}

// readGoMod takes the go.mod, which must be the module's own. Versions from
// before there were modules ("+incompatible") have none.
func (in *inspected) readGoMod(z *protocols.ZipArchive) (err error) {
	incompatible := strings.HasSuffix(in.Version.Version, "+incompatible")
	name := in.folder() + "go.mod"
	for _, entry := range z.File {
		if entry.Name != name {
			continue
		}
		if incompatible {
			return badZip("a version with a go.mod cannot be +incompatible")
		}
		if in.goMod, err = z.ReadFile(entry, modzip.MaxGoMod); err != nil {
			return err
		}
	}
	if in.goMod == nil {
		in.goMod = []byte("module " + modfile.AutoQuote(in.Path) + "\n")
	}
	if in.file, err = modfile.ParseLax("go.mod", in.goMod, nil); err != nil {
		return badZip("%s", cut(err.Error()))
	}
	if in.file.Module == nil || in.file.Module.Mod.Path != in.Path {
		declared := ""
		if in.file.Module != nil {
			declared = in.file.Module.Mod.Path
		}
		return badZip("its go.mod declares the module %.200q, its entries lie in %s", declared, in.folder())
	}
	in.modSum, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(in.goMod)), nil
	})
	return err
}

// folder is the one everything lies in.
func (in *inspected) folder() string { return in.Path + "@" + in.Version.Version + "/" }

// look gathers what people see of the module.
func (in *inspected) look(z *protocols.ZipArchive) error {
	dirs := map[string]bool{}
	for _, entry := range z.File {
		name := strings.TrimPrefix(entry.Name, in.folder())
		dir, base := path.Split(name)
		switch {
		case dir == "" && (in.readme == "" || base == "README.md") && strings.EqualFold(base, "readme.md"):
			text, err := head(z, entry, maxReadme)
			if err != nil {
				return err
			}
			in.readme = protocols.CleanText(string(text))
		case dir == "" && in.license == "" && isLicenseFile(base):
			text, err := head(z, entry, maxClause)
			if err != nil {
				return err
			}
			in.license = detectLicense(string(text))
		case strings.HasSuffix(base, ".go") && !strings.HasSuffix(base, "_test.go") && !dirs[dir] && len(dirs) < maxPackages && isPackageDir(dir):
			text, err := head(z, entry, maxClause)
			if err != nil {
				return err
			}
			in.addPackage(dir, text, dirs)
		}
	}
	slices.Sort(in.packages)
	slices.Sort(in.commands)
	return nil
}

// addPackage notes the package that a source file belongs to. Files that are
// in no build do not count.
func (in *inspected) addPackage(dir string, source []byte, seen map[string]bool) {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.PackageClauseOnly)
	if err != nil || bytes.Contains(source[:min(len(source), int(f.Package))], []byte("//go:build ignore")) {
		return
	}
	seen[dir] = true
	importPath := strings.TrimSuffix(in.Path+"/"+dir, "/")
	in.packages = append(in.packages, importPath)
	if f.Name.Name == "main" {
		in.commands = append(in.commands, importPath)
	}
}

// isPackageDir tells whether others may import what is in the folder.
func isPackageDir(dir string) bool {
	for element := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if element == "internal" || element == "testdata" || element == "vendor" || strings.HasPrefix(element, "_") || strings.HasPrefix(element, ".") && element != "." {
			return false
		}
	}
	return true
}

// head reads the beginning of a file of the archive.
func head(z *protocols.ZipArchive, entry *zip.File, limit int64) ([]byte, error) {
	if int64(entry.UncompressedSize64) <= limit {
		return z.ReadFile(entry, limit)
	}
	r, err := entry.Open()
	if err != nil {
		return nil, badZip("%v", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, badZip("%v", err)
	}
	return text, nil
}

// cut bounds messages of the libraries, which name every entry at fault.
func cut(message string) string {
	message = strings.ReplaceAll(message, "\n", "; ")
	if len(message) > 500 {
		message = strings.ToValidUTF8(message[:500], "") + " ..."
	}
	return message
}
