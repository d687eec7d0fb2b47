package retention

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// regexpPrefix begins a pattern that is a regular expression.
const regexpPrefix = "re:"

// patterns match a text when one of them does.
type patterns []func(text string) bool

// compilePatterns reads patterns: globs with *, ?, [a-z] and {a,b}, where *
// also takes slashes, or "re:" and a regular expression (RE2) that has to match
// the whole text.
func compilePatterns(texts []string, caseSensitive bool) (patterns, error) {
	if len(texts) > maxPatterns {
		return nil, fmt.Errorf("want at most %d patterns", maxPatterns)
	}
	var all patterns
	for _, text := range texts {
		if text == "" || len(text) > maxPattern {
			return nil, fmt.Errorf("want patterns of 1 to %d bytes", maxPattern)
		}
		match, err := compilePattern(text, caseSensitive)
		if err != nil {
			return nil, err
		}
		all = append(all, match)
	}
	return all, nil
}

func compilePattern(text string, caseSensitive bool) (func(string) bool, error) {
	if expression, is := strings.CutPrefix(text, regexpPrefix); is {
		flags := "(?i)"
		if caseSensitive {
			flags = ""
		}
		// In a group, so that an alternative is as anchored as the others.
		re, err := regexp.Compile(flags + `\A(?:` + expression + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("%q cannot be read: %w", text, err)
		}
		return re.MatchString, nil
	}
	glob := flat(text, caseSensitive)
	if !doublestar.ValidatePattern(glob) {
		return nil, fmt.Errorf("%q cannot be read: a bracket or a brace is not closed", text)
	}
	return func(s string) bool {
		// The only error there is tells of a pattern that is not valid.
		matched, _ := doublestar.Match(glob, flat(s, caseSensitive))
		return matched
	}, nil
}

// flat hides slashes from globs, for which a * would end at one.
func flat(s string, caseSensitive bool) string {
	if !caseSensitive {
		s = strings.ToLower(s)
	}
	return strings.ReplaceAll(s, "/", "\x1f")
}

// match tells whether one of the patterns matches one of the texts.
func (p patterns) match(texts ...string) bool {
	for _, match := range p {
		for _, text := range texts {
			if match(text) {
				return true
			}
		}
	}
	return false
}
