package rubygems

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
)

// listHeader is what the list of a gem begins with.
const listHeader = "---\n"

// infoLine is what the list of a gem says of one file:
//
//	VERSION[-PLATFORM] DEPENDENCY,...|checksum:SHA256,ruby:REQUIREMENT,rubygems:REQUIREMENT
//
// with a line end. Everything in it has been checked for its form.
//
// https://guides.rubygems.org/rubygems-org-compact-index-api/
func infoLine(s *gemspec, sha256 string) string {
	var b strings.Builder
	b.WriteString(s.version.withPlatform(s.platform))
	b.WriteByte(' ')
	for i, d := range s.runtime() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(d.name + ":" + d.requirement.join("&"))
	}
	b.WriteString("|checksum:" + sha256)
	if !s.ruby.any() {
		b.WriteString(",ruby:" + s.ruby.join("&"))
	}
	if !s.rubygems.any() {
		b.WriteString(",rubygems:" + s.rubygems.join("&"))
	}
	b.WriteByte('\n')
	return b.String()
}

// runtime are the gems that are needed to run, by name.
func (s *gemspec) runtime() []dependency {
	needed := slices.DeleteFunc(slices.Clone(s.dependencies), func(d dependency) bool { return d.development })
	slices.SortStableFunc(needed, func(a, b dependency) int { return cmp.Compare(a.name, b.name) })
	return needed
}

// A fragment is the line of a file, its end included, and behind it the
// compressed gemspec.

func newFragment(line string, packed []byte) []byte { return append([]byte(line), packed...) }

var errFragment = errors.New("a stored fragment has no line")

// fragmentLine is the line of a fragment.
func fragmentLine(fragment []byte) ([]byte, error) {
	end := bytes.IndexByte(fragment, '\n')
	if end < 0 {
		return nil, errFragment
	}
	return fragment[:end+1], nil
}

// fragmentSpec is the compressed gemspec of a fragment.
func fragmentSpec(fragment []byte) ([]byte, error) {
	line, err := fragmentLine(fragment)
	return fragment[len(line):], err
}

// lineDependencies takes the dependencies out of a line again: names, and
// conditions with a comma and a blank between them.
func lineDependencies(line []byte) [][2]string {
	_, rest, _ := strings.Cut(string(line), " ")
	listed, _, _ := strings.Cut(rest, "|")
	dependencies := [][2]string{}
	if listed == "" {
		return dependencies
	}
	for item := range strings.SplitSeq(listed, ",") {
		name, conditions, _ := strings.Cut(item, ":")
		dependencies = append(dependencies, [2]string{name, strings.ReplaceAll(conditions, "&", ", ")})
	}
	return dependencies
}
