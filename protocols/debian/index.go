package debian

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/registry"
)

// placeFile lists a package in the text of its component and architecture.
// Those that run on all have a text of their own, which apt reads beside that
// of the machine.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	at, err := placeOf(f.File.CompositeKey)
	if err != nil {
		return nil, err
	}
	return []registry.Placement{{
		Family: at.distribution, Stream: at.component + "/" + archOf(f.File.Name),
		Name: f.Package.NormalizedName, Rank: f.Version.SortKey,
	}}, nil
}

// renderStanza is the control file as it was uploaded and what the index adds:
// one strong digest, for each further one makes an index a fifth larger, and
// the MD5 that old programs ask for.
func renderStanza(f registry.IndexedFile, _ registry.Placement, _ string) ([]byte, error) {
	at, err := placeOf(f.File.CompositeKey)
	if err != nil {
		return nil, err
	}
	if len(f.File.Fragment) == 0 {
		return nil, fmt.Errorf("the control file of %s is not there", f.File.Name)
	}
	b := slices.Grow(slices.Clone(f.File.Fragment), 300)
	b = append(append(b, "Filename: "...), at.pool(f.File.Name)...)
	b = strconv.AppendInt(append(b, "\nSize: "...), f.Blob.Size, 10)
	if f.Blob.Md5 != "" {
		b = append(append(b, "\nMD5sum: "...), f.Blob.Md5...)
	}
	b = append(append(b, "\nSHA256: "...), f.Blob.Sha256...)
	return append(b, "\n\n"...), nil
}

// The settings of a distribution. The first three are frozen: apt stops when
// they change under it, until somebody allows it.
const (
	settingOrigin      = "origin"
	settingLabel       = "label"
	settingSuite       = "suite"
	settingDescription = "description"
	settingManual      = "notAutomatic"
	settingUpgrades    = "butAutomaticUpgrades"
	settingValid       = "validDays"
)

// freeze gives a new distribution its labels.
func freeze(o *ent.Owner, distribution, _ string) map[string]string {
	return map[string]string{settingOrigin: o.Name, settingLabel: o.Name, settingSuite: distribution}
}

// The files of a distribution, below dists/{distribution}/.
const (
	packagesName = "Packages"
	gzipEnding   = ".gz"
	xzEnding     = ".xz"
	textType     = "text/plain; charset=utf-8"
	gzipType     = "application/gzip"
	xzType       = "application/x-xz"
)

// folder is where the text of a component and an architecture lies.
func folder(stream string) string {
	component, arch, _ := strings.Cut(stream, "/")
	return component + "/binary-" + arch + "/"
}

// compose writes the files of a distribution: the texts, plain and
// compressed, and the Release that names them, signed in two ways.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	release := release{distribution: b.Name.Family, settings: b.Settings, date: b.Modified}
	for _, text := range listed(b) {
		component, arch, _ := strings.Cut(text.Stream, "/")
		whole := text.Wrap("", "")
		for _, form := range []struct {
			ending, contentType string
			recipe              registry.Recipe
		}{{"", textType, whole.Plain()}, {gzipEnding, gzipType, whole.Gzip()}} {
			added, err := b.Add(ctx, folder(text.Stream)+packagesName+form.ending, form.contentType, form.recipe)
			if err != nil {
				return err
			}
			release.files = append(release.files, added)
		}
		release.add(component, arch)
	}
	text := release.write()
	signed, err := b.ClearSign(text)
	if err != nil {
		return err
	}
	signature, err := b.Detached(bytesOf(text), true)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{{"Release", text}, {"InRelease", signed}, {"Release.gpg", signature}} {
		if _, err := b.AddBytes(ctx, file.name, textType, file.content); err != nil {
			return err
		}
	}
	return nil
}

// listed are the texts that are offered: those with packages in them. A
// distribution without any offers all it ever had, empty, and at least one:
// apt refuses a Release that names no file, and with it everything else on the
// machine.
func listed(b *registry.IndexBuild) []*registry.IndexText {
	all := b.Texts()
	var texts []*registry.IndexText
	for _, t := range all {
		if t.Entries > 0 {
			texts = append(texts, t)
		}
	}
	switch {
	case len(texts) > 0:
		return texts
	case len(all) > 0:
		return all
	}
	return []*registry.IndexText{b.Text("main/" + everyArch)}
}

// validUntil is when clients begin to mistrust a Release, or nothing.
func validUntil(date time.Time, days string) string {
	n, err := strconv.Atoi(days)
	if err != nil || n <= 0 {
		return ""
	}
	return date.AddDate(0, 0, n).UTC().Format(time.RFC1123)
}
