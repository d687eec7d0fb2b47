package rpm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

const updateinfoName = "updateinfo"

// composeErrata writes updateinfo.xml from the advisories of all versions in
// the group. What several versions say of one is merged, so it is composed as
// a whole; there are few of them beside the packages. A group without
// advisories has no such document.
func composeErrata(ctx context.Context, b *registry.IndexBuild) (*datum, error) {
	listed := b.Text(errataStream)
	if listed.Entries == 0 {
		return nil, nil
	}
	var all []*advisory
	decoder := json.NewDecoder(b.Open(ctx, listed.Wrap("", "").Plain()))
	for {
		var some []*advisory
		err := decoder.Decode(&some)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	all = mergeErrata(nil, all)
	// In whatever order they came, the document is the same.
	slices.SortFunc(all, func(a, b *advisory) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range all {
		slices.SortFunc(a.Collections, func(a, b *collection) int {
			return cmp.Or(cmp.Compare(a.Short, b.Short), cmp.Compare(a.Name, b.Name))
		})
	}
	plain := writeUpdateinfo(all)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(plain)
	if err := z.Close(); err != nil {
		return nil, err
	}
	added, err := b.AddBytes(ctx, updateinfoName+textEnding, gzipType, packed.Bytes())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	return &datum{kind: updateinfoName, packed: added, openSum: hex.EncodeToString(sum[:]), openSize: int64(len(plain))}, nil
}

// writeUpdateinfo is the document of advisories.
//
// https://github.com/rpm-software-management/libdnf/blob/dnf-4-master/docs/hawkey (advisories)
func writeUpdateinfo(all []*advisory) []byte {
	var w xmlWriter
	w.WriteString(xmlHead)
	w.open("updates")
	w.WriteByte('\n')
	for _, a := range all {
		a.write(&w)
	}
	w.close("updates")
	w.WriteByte('\n')
	return []byte(w.String())
}

func (a *advisory) write(w *xmlWriter) {
	clean := func(t text) string { return rpmfile.CleanText(string(t)) }
	w.open("update", "from", clean(a.From), "status", cmp.Or(clean(a.Status), "final"), "type", cmp.Or(clean(a.Type), "enhancement"), "version", cmp.Or(clean(a.Version), "1"))
	w.text("id", clean(a.ID))
	w.text("title", clean(a.Title))
	for _, d := range []struct {
		name string
		at   *date
	}{{"issued", a.Issued}, {"updated", a.Updated}} {
		if d.at != nil {
			w.empty(d.name, "date", clean(d.at.Date))
		}
	}
	if a.Severity != "" {
		w.text("severity", clean(a.Severity))
	}
	w.text("description", clean(a.Description))
	w.open("references")
	for _, r := range a.References {
		w.empty("reference", "href", clean(r.Href), "id", clean(r.ID), "title", clean(r.Title), "type", clean(r.Type))
	}
	w.close("references")
	w.open("pkglist")
	for _, c := range a.Collections {
		w.open("collection", "short", clean(c.Short))
		w.text("name", clean(c.Name))
		for _, p := range c.Packages {
			w.open("package", "name", clean(p.Name), "version", clean(p.Version), "release", clean(p.Release),
				"epoch", cmp.Or(clean(p.Epoch), "0"), "arch", clean(p.Arch), "src", clean(p.Src))
			w.text("filename", clean(p.File))
			w.close("package")
		}
		w.close("collection")
	}
	w.close("pkglist")
	w.close("update")
	w.WriteByte('\n')
}
