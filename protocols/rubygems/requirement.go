package rubygems

import (
	"slices"
	"strings"

	"entrepot/registry"
)

// operators are those of a requirement.
var operators = []string{"=", "!=", ">", "<", ">=", "<=", "~>"}

// constraint is one condition of a requirement.
type constraint struct {
	operator string
	version  version
}

func (c constraint) String() string { return c.operator + " " + string(c.version) }

// requirement is what versions will do: those that fulfil all conditions.
type requirement []constraint

// anything is the requirement that says nothing.
var anything = requirement{{">=", "0"}}

// parseConstraint reads a condition. Errors: Invalid; what it holds goes into
// lines of text.
func parseConstraint(operator, text string) (constraint, error) {
	if !slices.Contains(operators, operator) {
		return constraint{}, registry.FieldErrorf("requirement", "%.100q is no operator of a requirement", operator)
	}
	v, err := parseVersion(text)
	return constraint{operator, v}, err
}

// any tells whether the requirement is exactly ">= 0". Others hold for every
// release as well, "~> 0" and "!= 0" do not.
func (r requirement) any() bool { return len(r) == 1 && r[0] == anything[0] }

// join is the conditions with a text between them.
func (r requirement) join(between string) string {
	texts := make([]string, len(r))
	for i, c := range r {
		texts[i] = c.String()
	}
	return strings.Join(texts, between)
}

// dependency is a gem that another one needs.
type dependency struct {
	name        string
	requirement requirement
	development bool
}
