package alt

import (
	"bytes"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// listedTags are the tags of a package that a list has of it, with the form in
// which rpm writes them: in another one, some clients would stop in the middle
// of the list.
var listedTags = []struct {
	tag  int
	form rpmfile.Form
}{
	{100, rpmfile.Texts},                                                                               // the languages of the texts in many
	{1000, rpmfile.OneText}, {1001, rpmfile.OneText}, {1002, rpmfile.OneText}, {1003, rpmfile.Numbers}, // name, version, release, epoch
	{1004, rpmfile.Translated}, {1005, rpmfile.Translated}, // summary, description
	{1006, rpmfile.Numbers}, {1009, rpmfile.Numbers}, // build time, size
	{1011, rpmfile.OneText}, {1014, rpmfile.OneText}, {1015, rpmfile.OneText}, // vendor, license, packager
	{1016, rpmfile.Translated},                                                                         // group
	{1020, rpmfile.OneText}, {1021, rpmfile.OneText}, {1022, rpmfile.OneText}, {1044, rpmfile.OneText}, // URL, OS, architecture, source package
	{1047, rpmfile.Texts}, {1112, rpmfile.Numbers}, {1113, rpmfile.Texts}, // provides
	{1049, rpmfile.Texts}, {1048, rpmfile.Numbers}, {1050, rpmfile.Texts}, // requires
	{1054, rpmfile.Texts}, {1053, rpmfile.Numbers}, {1055, rpmfile.Texts}, // conflicts
	{1090, rpmfile.Texts}, {1114, rpmfile.Numbers}, {1115, rpmfile.Texts}, // obsoletes
	{1117, rpmfile.Texts}, {1118, rpmfile.Texts}, {1116, rpmfile.Numbers}, // files
	{tagChangeTime, rpmfile.Numbers}, {tagChangeName, rpmfile.Texts}, {tagChangeText, rpmfile.Texts},
	{1155, rpmfile.OneText}, // disttag
}

const (
	tagChangeTime = 1080
	tagChangeName = 1081
	tagChangeText = 1082
	// changesListed is how many changes a list has of a package, the newest.
	changesListed = 10
)

// The tags that a list adds, which no package has.
const (
	tagFileName  = 1000000
	tagFileSize  = 1000001
	tagMD5       = 1000005
	tagBLAKE2b   = 1000009
	tagDirectory = 1000010
)

// maxFile is the size of the largest package that a list can tell of.
const maxFile = math.MaxUint32

// tagsOf are the tags of a package that lists have of it. Error: Invalid.
func tagsOf(h *rpmfile.Header) ([]rpmfile.Value, error) {
	var all []rpmfile.Value
	for _, t := range listedTags {
		v, ok, err := h.Value(t.tag, t.form)
		if err != nil {
			return nil, err
		}
		switch t.tag {
		case tagChangeTime, tagChangeName, tagChangeText:
			v = v.First(changesListed)
		}
		if ok {
			all = append(all, v)
		}
	}
	return all, nil
}

// stored is what is known of a package once its bytes are stored.
type stored struct {
	size         int64
	md5, blake2b string // in hexadecimal
}

// fragment is the package's part of a list: its tags, and how to get it.
// Fragments are kept compressed, for the list of a package's files may be long.
func fragment(tags []rpmfile.Value, file string, s stored) []byte {
	all := append(tags[:len(tags):len(tags)],
		rpmfile.Text(tagFileName, file),
		rpmfile.Number(tagFileSize, uint32(s.size)),
		rpmfile.Text(tagMD5, s.md5),
		rpmfile.Text(tagBLAKE2b, s.blake2b),
		rpmfile.Text(tagDirectory, folderOf(rpmfile.ArchOf(file))),
	)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(rpmfile.WriteHeader(all)) // a bytes.Buffer takes everything
	z.Close()
	return b.Bytes()
}

// render is a package's part of a list.
func render(f registry.IndexedFile, _ registry.Placement, _ string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(f.File.Fragment))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
