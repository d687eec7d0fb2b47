package helm

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a chart: helm's own, and one for the number of files.
const (
	maxUnpacked = 100 << 20
	maxFile     = 5 << 20
	maxEntries  = 10_000
)

// The most that is kept of a chart for its page.
const (
	maxReadme    = 1 << 20
	maxValues    = 1 << 20
	maxTemplates = 2000
)

func badArchive(format string, args ...any) error {
	return registry.FieldErrorf("chart", "this is not a chart: "+format, args...)
}

// member is a regular file of a chart.
type member struct {
	// folder is the chart's own, name the path below it.
	folder, name string
	body         io.Reader
}

// walk calls visit for each regular file of a chart, in order, and reads the
// archive to its end. Errors: Invalid for what helm would not unpack and for
// what lies beyond the bounds; those of r and of visit as they are.
func walk(r io.Reader, visit func(member) error) error {
	source := protocols.NewSource(r)
	z, err := gzip.NewReader(source)
	if err != nil {
		return source.Or(badArchive("it is not compressed with gzip"))
	}
	unpacked := protocols.LimitUnpacked(z, maxUnpacked)
	entries := tar.NewReader(unpacked)
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return source.Or(badArchive("the archive cannot be read: %v", err))
		}
		if n == maxEntries {
			return badArchive("it has more than %d files", maxEntries)
		}
		if h.FileInfo().IsDir() || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		folder, name, err := splitMember(h.Name)
		if err != nil {
			return err
		}
		if h.Size > maxFile {
			return badArchive("%.200q is larger than %d bytes", h.Name, maxFile)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		body := protocols.NewSource(entries)
		if err := visit(member{folder, name, body}); err != nil {
			return source.Or(err)
		}
		if err := body.Or(nil); err != nil {
			return source.Or(badArchive("%.200q cannot be read: %v", h.Name, err))
		}
	}
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return source.Or(badArchive("the archive does not end well: %v", err))
	}
	return nil
}

var drive = regexp.MustCompile(`^[a-zA-Z]:/`)

// splitMember takes the chart's folder from a path, which may be written as
// Windows does.
func splitMember(full string) (folder, name string, err error) {
	slashed := strings.ReplaceAll(full, `\`, "/")
	folder, name, ok := strings.Cut(slashed, "/")
	switch {
	case folder == "Chart.yaml":
		return "", "", badArchive("Chart.yaml is not in a folder")
	case strings.HasPrefix(slashed, "/"), strings.HasPrefix(name, "/"), drive.MatchString(name), drive.MatchString(slashed):
		return "", "", badArchive("%.200q is an absolute path", full)
	case slices.Contains(strings.Split(slashed, "/"), ".."):
		return "", "", badArchive("%.200q leads out of the chart", full)
	case !ok, path.Clean(name) == ".":
		return "", "", badArchive("%.200q is not in a folder", full)
	}
	return folder, path.Clean(name), nil
}

// archive is what is read of a chart when it is published.
type archive struct {
	chart          *chart
	readme         string
	values, schema []byte
	templates      []string
	subcharts      []string
	files          int
}

// readArchive reads a chart. Errors: as walk, and Invalid for a chart without
// a good Chart.yaml.
func readArchive(r io.Reader) (*archive, error) {
	a := &archive{}
	var chartYAML []byte
	var folder string
	// By folder: which one is the chart's comes to light with its Chart.yaml.
	requirements := map[string][]byte{}
	err := walk(r, func(m member) error {
		a.files++
		var err error
		switch {
		case m.name == "Chart.yaml" && chartYAML == nil:
			folder = m.folder
			chartYAML, err = readMember(m, maxChartYAML)
		case m.name == "requirements.yaml" && len(requirements) == 0:
			requirements[m.folder], err = readMember(m, maxChartYAML)
		case strings.EqualFold(m.name, "readme.md") && a.readme == "":
			var text []byte
			text, err = readUpTo(m.body, maxReadme)
			a.readme = protocols.CutText(protocols.CleanText(string(text)), maxReadme)
		case m.name == "values.yaml" && a.values == nil:
			a.values, err = readUpTo(m.body, maxValues)
		case m.name == "values.schema.json" && a.schema == nil:
			a.schema, err = readUpTo(m.body, maxValues)
		default:
			a.note(m.name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if chartYAML == nil {
		return nil, badArchive("it has no Chart.yaml in its folder")
	}
	a.chart, err = parseChart(chartYAML, requirements[folder])
	return a, err
}

// note takes down the names of templates and of charts within.
func (a *archive) note(name string) {
	name = protocols.CleanText(name)
	switch rest, inCharts := strings.CutPrefix(name, "charts/"); {
	case strings.HasPrefix(name, "templates/") && len(a.templates) < maxTemplates:
		a.templates = append(a.templates, protocols.CutText(name, maxText))
	case inCharts:
		sub, file, nested := strings.Cut(rest, "/")
		if nested && file != "Chart.yaml" || !nested && !strings.HasSuffix(sub, chartEnding) {
			return
		}
		if sub = strings.TrimSuffix(sub, chartEnding); !slices.Contains(a.subcharts, sub) && len(a.subcharts) < maxTemplates {
			a.subcharts = append(a.subcharts, protocols.CutText(sub, maxText))
		}
	}
}

// readMember reads a file whole, or refuses it.
func readMember(m member, limit int64) ([]byte, error) {
	content, err := protocols.ReadLimited(m.body, limit)
	if errors.Is(err, protocols.ErrTooMuch) {
		return nil, badArchive("%s is larger than %d bytes", m.name, limit)
	}
	if err != nil {
		return nil, badArchive("%s cannot be read: %v", m.name, err)
	}
	return content, nil
}

// readUpTo reads the beginning of a file.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(r, limit))
	if err != nil {
		return nil, badArchive("a file cannot be read: %v", err)
	}
	return b.Bytes(), nil
}
