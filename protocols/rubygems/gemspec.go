package rubygems

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"entrepot/protocols"
	"entrepot/registry"
)

// gemspec is what counts of a Gem::Specification.
//
// https://guides.rubygems.org/specification-reference/
type gemspec struct {
	name                      string
	version                   version
	platform                  string
	authors, email, licenses  []string
	summary, description      string
	homepage                  string
	metadata                  map[string]string
	dependencies              []dependency
	ruby, rubygems            requirement // of Ruby and of RubyGems itself
	executables, certificates []string
	date                      time.Time
	rubygemsVersion           string
}

// The bounds of a gemspec.
const (
	// maxSeparators bounds the number of values: the parser makes some hundred
	// bytes of each, and there is a separator between two.
	maxSeparators = 400_000
	// maxVisits bounds how many values are looked at, however often aliases
	// repeat them.
	maxVisits       = 100_000
	maxText         = 1 << 20
	maxDependencies = 2000
	maxConstraints  = 100
	maxList         = 1000
)

// parseGemspec reads the YAML of a Gem::Specification. Scalars are taken as
// text, whatever YAML would make of them: a version 1.10 is no number. Errors:
// Invalid for what is no gemspec and for whatever could not stand in an index
// line, TooLarge.
func parseGemspec(raw []byte) (*gemspec, error) {
	root, err := parseYAML(raw)
	if err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, badGemspec("it is not a mapping")
	}
	w := &walk{left: maxVisits}
	s, err := w.gemspec(root)
	if w.left < 0 {
		return nil, registry.Errorf(registry.TooLarge, "the gemspec repeats too much of itself")
	}
	return s, err
}

// parseYAML reads a document into nodes; nothing in it is interpreted.
func parseYAML(raw []byte) (*yaml.Node, error) {
	separators := 0
	for _, c := range "\n,[{" {
		separators += bytes.Count(raw, []byte(string(c)))
	}
	if separators > maxSeparators {
		return nil, registry.Errorf(registry.TooLarge, "the gemspec has more than %d values", maxSeparators)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return nil, badGemspec("%.300s", protocols.CleanText(err.Error()))
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, badGemspec("it is empty")
	}
	return document.Content[0], nil
}

func badGemspec(format string, args ...any) error {
	return registry.FieldErrorf("gem", "the gemspec is no good: %s", fmt.Sprintf(format, args...))
}

// walk looks at the nodes of a gemspec, at no more than some number of them.
type walk struct{ left int }

// follow is the node that an alias stands for, or the node itself; nil for none
// and when there were too many.
func (w *walk) follow(n *yaml.Node) *yaml.Node {
	if w.left--; w.left < 0 || n == nil {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// get is the value under a key of a mapping, or nil.
func (w *walk) get(n *yaml.Node, key string) *yaml.Node {
	n = w.follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := w.follow(n.Content[i]); k != nil && k.Value == key {
			return w.follow(n.Content[i+1])
		}
	}
	return nil
}

// text is a scalar as text; "" for null and for anything else.
func (w *walk) text(n *yaml.Node) string {
	n = w.follow(n)
	if n == nil || n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return ""
	}
	value := n.Value
	if strings.TrimLeft(n.ShortTag(), "!") == "binary" {
		// Ruby writes so what is not plain ASCII in a string of no encoding.
		if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil {
			value = string(decoded)
		}
	}
	return protocols.CleanText(protocols.CutText(value, maxText))
}

// list are the texts of a sequence, or the one text of a scalar; empty ones are
// left out.
func (w *walk) list(n *yaml.Node) []string {
	n = w.follow(n)
	if n == nil {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var texts []string
	for _, item := range items[:min(len(items), maxList)] {
		if text := w.text(item); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

func (w *walk) gemspec(n *yaml.Node) (s *gemspec, err error) {
	s = &gemspec{
		name:            w.text(w.get(n, "name")),
		authors:         w.list(w.get(n, "authors")),
		email:           w.list(w.get(n, "email")),
		licenses:        w.list(w.get(n, "licenses")),
		summary:         w.text(w.get(n, "summary")),
		description:     w.text(w.get(n, "description")),
		homepage:        w.text(w.get(n, "homepage")),
		executables:     w.list(w.get(n, "executables")),
		certificates:    w.list(w.get(n, "cert_chain")),
		rubygemsVersion: protocols.CutText(w.text(w.get(n, "rubygems_version")), maxVersion),
		date:            parseDate(w.text(w.get(n, "date"))),
		metadata:        map[string]string{},
	}
	if err := checkName("name", s.name); err != nil {
		return nil, err
	}
	if s.version, err = w.version(w.get(n, "version")); err != nil {
		return nil, err
	}
	if s.platform, err = platformOf(w.text(w.get(n, "platform"))); err != nil {
		return nil, err
	}
	if len(s.authors) == 0 {
		s.authors = w.list(w.get(n, "author")) // of old gems
	}
	if m := w.get(n, "metadata"); m != nil && m.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(m.Content) && i < 2*maxList; i += 2 {
			s.metadata[w.text(m.Content[i])] = w.text(m.Content[i+1])
		}
	}
	if s.ruby, err = w.requirement(w.get(n, "required_ruby_version")); err != nil {
		return nil, err
	}
	if s.rubygems, err = w.requirement(w.get(n, "required_rubygems_version")); err != nil {
		return nil, err
	}
	s.dependencies, err = w.dependencies(w.get(n, "dependencies"))
	return s, err
}

// version reads a Gem::Version.
func (w *walk) version(n *yaml.Node) (version, error) {
	if n = w.follow(n); n != nil && n.Kind == yaml.MappingNode {
		n = w.get(n, "version")
	}
	return parseVersion(w.text(n))
}

func (w *walk) dependencies(n *yaml.Node) ([]dependency, error) {
	if n = w.follow(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil, nil
	}
	if len(n.Content) > maxDependencies {
		return nil, registry.Errorf(registry.TooLarge, "the gem has more than %d dependencies", maxDependencies)
	}
	var all []dependency
	for _, item := range n.Content {
		d := dependency{name: w.text(w.get(item, "name"))}
		if err := checkName("dependencies", d.name); err != nil {
			return nil, err
		}
		// Gems of old have it under another name, new ones under both.
		r := w.get(item, "requirement")
		if r == nil || r.Kind != yaml.MappingNode {
			r = w.get(item, "version_requirements")
		}
		var err error
		if d.requirement, err = w.requirement(r); err != nil {
			return nil, err
		}
		switch kind := strings.TrimPrefix(w.text(w.get(item, "type")), ":"); kind {
		case "", "runtime":
		case "development":
			d.development = true
		default:
			return nil, badGemspec("a dependency is of the type %.100q", kind)
		}
		all = append(all, d)
	}
	return all, nil
}

// requirement reads a Gem::Requirement; without one, anything will do.
func (w *walk) requirement(n *yaml.Node) (requirement, error) {
	conditions := w.get(n, "requirements")
	if conditions == nil || conditions.Kind != yaml.SequenceNode || len(conditions.Content) == 0 {
		return anything, nil
	}
	if len(conditions.Content) > maxConstraints {
		return nil, registry.Errorf(registry.TooLarge, "a requirement has more than %d conditions", maxConstraints)
	}
	var r requirement
	for _, item := range conditions.Content {
		pair := w.follow(item)
		if pair == nil || pair.Kind != yaml.SequenceNode || len(pair.Content) != 2 {
			return nil, badGemspec("a requirement is not of an operator and a version")
		}
		v, err := w.version(pair.Content[1])
		if err != nil {
			return nil, err
		}
		c, err := parseConstraint(w.text(pair.Content[0]), string(v))
		if err != nil {
			return nil, err
		}
		r = append(r, c)
	}
	return r, nil
}

// parseDate reads the date of a gemspec, in the forms that Ruby has written it;
// the zero time for anything else. Only the day counts.
func parseDate(text string) time.Time {
	if len(text) < len(time.DateOnly) {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}
	}
	return t
}
