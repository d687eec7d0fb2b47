//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	bits "encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// nuget3 [-u USER:SECRET] [-k KEY] [-prerelease] [-skip-duplicate] COMMAND WHERE ARGUMENT...
//
// is a client of NuGet's protocol, version 3. WHERE is the URL of the service
// index, but for the commands that need none:
//
//	pack FOLDER FILE          makes a package of a folder
//	pdb FILE                  writes a Portable PDB that no other equals
//	push SOURCE FILE          pushes a .nupkg, and the .snupkg beside it
//	delete SOURCE ID VERSION  deletes a version
//	relist SOURCE ID VERSION  lists a version again
//	search SOURCE WORDS       prints ids and versions
//	complete SOURCE TEXT      prints ids that have the text
//	versions SOURCE ID        prints the versions that a search may find
//	list SOURCE ID            prints the registration: versions, and what they need
//	restore SOURCE ID VERSION FOLDER
//	                          fetches the lowest version from that one on and what
//	                          it needs, and prints what came
//	symbol SERVER FILE        fetches a PDB as a debugger does and compares it
//
// With "!" the command must fail; it prints why.
func cmdNuget(ts *testscript.TestScript, neg bool, args []string) error {
	n := nugetCommand{TestScript: ts}
	flags := flag.NewFlagSet("nuget3", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	user := flags.String("u", "", "user:secret")
	flags.StringVar(&n.key, "k", "", "API key")
	flags.BoolVar(&n.prerelease, "prerelease", false, "find prereleases")
	flags.BoolVar(&n.skip, "skip-duplicate", false, "do not mind what is there already")
	if err := flags.Parse(args); err != nil {
		return err
	}
	n.user, n.secret, _ = strings.Cut(*user, ":")
	usage := errors.New("usage: nuget3 [-u USER:SECRET] [-k KEY] [-prerelease] [-skip-duplicate] COMMAND WHERE [ARGUMENTS]")
	if flags.NArg() < 2 {
		return usage
	}
	command, known := nugetCommands[flags.Arg(0)]
	if !known || flags.NArg() != 1+command.arguments {
		return usage
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := command.run(n, ctx, flags.Args()[1:])
	switch {
	case neg && err == nil:
		return errors.New("it succeeded")
	case neg:
		fmt.Fprintln(ts.Stdout(), err)
		return nil
	}
	return err
}

// nugetCommand is one call of nuget3.
type nugetCommand struct {
	*testscript.TestScript
	user, secret, key string
	prerelease, skip  bool
}

var nugetCommands = map[string]struct {
	arguments int
	run       func(n nugetCommand, ctx context.Context, args []string) error
}{
	"pack":     {2, nugetCommand.pack},
	"pdb":      {1, nugetCommand.pdb},
	"push":     {2, nugetCommand.push},
	"delete":   {3, nugetCommand.delete},
	"relist":   {3, nugetCommand.relist},
	"search":   {2, nugetCommand.search},
	"complete": {2, nugetCommand.complete},
	"versions": {2, nugetCommand.versions},
	"list":     {2, nugetCommand.list},
	"restore":  {4, nugetCommand.restore},
	"symbol":   {2, nugetCommand.symbol},
}

func (n nugetCommand) open(ctx context.Context, source string) (*nugetClient, error) {
	return openNuget(ctx, nugetClient{source: source, user: n.user, secret: n.secret, key: n.key})
}

func (n nugetCommand) pack(_ context.Context, args []string) error {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	if err := archive.AddFS(os.DirFS(n.MkAbs(args[0]))); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return os.WriteFile(n.MkAbs(args[1]), out.Bytes(), 0o600)
}

func (n nugetCommand) push(ctx context.Context, args []string) error {
	c, err := n.open(ctx, args[0])
	if err != nil {
		return err
	}
	pushed := func(resource, file string) error {
		content, err := os.ReadFile(n.MkAbs(file))
		if err != nil {
			return err
		}
		response, err := c.push(ctx, resource, content)
		if n.skip && response.Status == http.StatusConflict {
			fmt.Fprintf(n.Stdout(), "%s is there already\n", file)
			return nil
		}
		if err == nil {
			fmt.Fprintf(n.Stdout(), "pushed %s\n", file)
		}
		return err
	}
	if err := pushed("PackagePublish/2.0.0", args[1]); err != nil {
		return err
	}
	symbols := strings.TrimSuffix(args[1], ".nupkg") + ".snupkg"
	if _, err := os.Stat(n.MkAbs(symbols)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return pushed("SymbolPackagePublish/4.9.0", symbols)
}

func (n nugetCommand) delete(ctx context.Context, args []string) error {
	return n.setListed(ctx, args, false)
}

func (n nugetCommand) relist(ctx context.Context, args []string) error {
	return n.setListed(ctx, args, true)
}

func (n nugetCommand) setListed(ctx context.Context, args []string, listed bool) error {
	c, err := n.open(ctx, args[0])
	if err != nil {
		return err
	}
	return c.setListed(ctx, args[1], args[2], listed)
}

func (n nugetCommand) search(ctx context.Context, args []string) error {
	c, err := n.open(ctx, args[0])
	if err != nil {
		return err
	}
	found, err := c.search(ctx, args[1], n.prerelease)
	for _, r := range found {
		fmt.Fprintln(n.Stdout(), r.ID, r.Version)
	}
	return err
}

func (n nugetCommand) complete(ctx context.Context, args []string) error {
	return n.completed(ctx, args[0], "q", args[1])
}

func (n nugetCommand) versions(ctx context.Context, args []string) error {
	return n.completed(ctx, args[0], "id", args[1])
}

func (n nugetCommand) completed(ctx context.Context, source, parameter, value string) error {
	c, err := n.open(ctx, source)
	if err != nil {
		return err
	}
	found, err := c.complete(ctx, parameter, value)
	for _, text := range found {
		fmt.Fprintln(n.Stdout(), text)
	}
	return err
}

func (n nugetCommand) list(ctx context.Context, args []string) error {
	c, err := n.open(ctx, args[0])
	if err != nil {
		return err
	}
	leaves, err := c.registration(ctx, args[1])
	for _, leaf := range leaves {
		fmt.Fprintf(n.Stdout(), "%s listed=%t\n", leaf.CatalogEntry.Version, *leaf.CatalogEntry.Listed)
		for _, group := range leaf.CatalogEntry.Groups {
			fmt.Fprintf(n.Stdout(), "  [%s]", group.Framework)
			for _, d := range group.Dependencies {
				fmt.Fprintf(n.Stdout(), " %s %s", d.ID, d.Range)
			}
			fmt.Fprintln(n.Stdout())
		}
	}
	return err
}

func (n nugetCommand) restore(ctx context.Context, args []string) error {
	c, err := n.open(ctx, args[0])
	if err != nil {
		return err
	}
	have := map[string]nugetPackage{}
	if err := c.restore(ctx, args[1], args[2], have); err != nil {
		return err
	}
	folder := n.MkAbs(args[3])
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, lower := range slices.Sorted(maps.Keys(have)) {
		p := have[lower]
		if err := os.WriteFile(filepath.Join(folder, lower+"."+p.version+".nupkg"), p.content, 0o600); err != nil {
			return err
		}
		fmt.Fprintln(n.Stdout(), lower, p.version)
	}
	return nil
}

func (n nugetCommand) symbol(ctx context.Context, args []string) error {
	content, err := os.ReadFile(n.MkAbs(args[1]))
	if err != nil {
		return err
	}
	key, err := pdbKey(content)
	if err != nil {
		return err
	}
	name := filepath.Base(args[1])
	c := nugetClient{user: n.user, secret: n.secret}
	response, err := c.do(ctx, http.StatusOK, http.MethodGet, args[0]+"/"+name+"/"+key+"/"+name, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(response.Body, content) {
		return fmt.Errorf("the %d bytes that came are not the %d of %s", len(response.Body), len(content), args[1])
	}
	return nil
}

// pdb writes the beginning of a Portable PDB, as far as symbol servers look at
// it: the metadata root and the stream with the id.
//
// https://github.com/dotnet/runtime/blob/main/docs/design/specs/PortablePdb-Metadata.md
func (n nugetCommand) pdb(_ context.Context, args []string) error {
	le := bits.LittleEndian
	b := []byte("BSJB\x01\x00\x01\x00\x00\x00\x00\x00\x0c\x00\x00\x00PDB v1.0\x00\x00\x00\x00\x00\x00\x01\x00")
	b = le.AppendUint32(b, uint32(len(b)+16)) // behind this header
	b = le.AppendUint32(b, 32)
	b = append(b, pdbStream...)
	b = append(b, randomBytes(32)...)
	return os.WriteFile(n.MkAbs(args[0]), b, 0o600)
}

// pdbStream is the name of the stream with the id, as it is stored.
const pdbStream = "#Pdb\x00\x00\x00\x00"

// pdbKey is what debuggers ask for a Portable PDB by: its id, which is a GUID,
// and FFFFFFFF.
//
// https://github.com/dotnet/symstore/blob/main/docs/specs/SSQP_Key_Conventions.md
func pdbKey(pdb []byte) (string, error) {
	le := bits.LittleEndian
	name := bytes.Index(pdb, []byte(pdbStream))
	if name < 8 {
		return "", errors.New("no stream #Pdb")
	}
	at := int64(le.Uint32(pdb[name-8:]))
	if at+16 > int64(len(pdb)) {
		return "", errors.New("the stream #Pdb is cut off")
	}
	id := pdb[at : at+16]
	return fmt.Sprintf("%08x%04x%04x%sFFFFFFFF", le.Uint32(id), le.Uint16(id[4:]), le.Uint16(id[6:]), hex.EncodeToString(id[8:])), nil
}
