package nuget

import (
	"slices"
	"strings"

	"entrepot/registry"
)

// The bounds of a filter.
const (
	maxFilter      = 8 << 10 // bytes
	maxFilterDepth = 50
)

// entity is a version as filters and orders look at it.
type entity struct {
	row
	// latest is the highest listed version that is stable, absoluteLatest the
	// highest listed one.
	latest, absoluteLatest bool
}

// filter is a condition of a query.
type filter struct {
	holds func(*entity) bool
	// names, if not nil, are the folded ids of the only packages of which
	// anything can meet the condition.
	names []string
	// manifests tells that it looks into manifests.
	manifests bool
}

// parseFilter reads the value of $filter: and, or, not and parentheses; eq and
// ne, for versions gt, ge, lt and le as well; tolower, substringof, startswith
// and endswith; null, true, false and texts. Texts are compared without case,
// as in the public gallery; versions by NuGet's rules. Error: Invalid, for
// anything else: a filter that is half understood installs the wrong package.
//
// https://www.odata.org/documentation/odata-version-2-0/uri-conventions/#FilterSystemQueryOption
func parseFilter(text string) (*filter, error) {
	if len(text) > maxFilter {
		return nil, badFilter("it is longer than %d bytes", maxFilter)
	}
	tokens, err := lexFilter(text)
	if err != nil {
		return nil, err
	}
	p := filterParser{tokens: tokens}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, badFilter("%q was not expected", t.text)
	}
	if e.boolean == nil {
		return nil, badFilter("it is not a condition")
	}
	return &filter{e.boolean, e.names, p.manifests}, nil
}

func badFilter(format string, args ...any) error {
	return registry.FieldErrorf("$filter", "the $filter cannot be read: "+format, args...)
}

// The kinds of tokens.
type tokenKind int

const (
	endToken tokenKind = iota
	wordToken
	textToken // a literal, without its quotes
	signToken // ( ) and ,
)

type token struct {
	kind tokenKind
	text string
}

// lexFilter cuts a filter into tokens. In texts a quote is doubled.
func lexFilter(s string) ([]token, error) {
	var tokens []token
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		switch c := s[0]; {
		case c == '(' || c == ')' || c == ',':
			tokens = append(tokens, token{signToken, s[:1]})
			s = s[1:]
		case c == '\'':
			content, rest, ok := cutText(s)
			if !ok {
				return nil, badFilter("a text has no end")
			}
			tokens = append(tokens, token{textToken, content})
			s = rest
		default:
			n := len(s) - len(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"))
			if n == 0 {
				return nil, badFilter("%.20q was not expected", s)
			}
			tokens = append(tokens, token{wordToken, s[:n]})
			s = s[n:]
		}
	}
	return tokens, nil
}

// cutText cuts a quoted text off the front.
func cutText(s string) (content, rest string, ok bool) {
	var b strings.Builder
	if !strings.HasPrefix(s, "'") {
		return "", s, false
	}
	s = s[1:]
	for {
		end := strings.IndexByte(s, '\'')
		if end < 0 {
			return "", "", false
		}
		b.WriteString(s[:end])
		if s = s[end+1:]; !strings.HasPrefix(s, "'") {
			return b.String(), s, true
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

// expression is a part of a filter. One of boolean, text and isNull is set.
type expression struct {
	boolean func(*entity) bool
	// text is a text, "" for none.
	text   func(*entity) string
	isNull bool
	// names are as in filter.
	names []string
	// literal is the text of one that is the same for all.
	literal *string
	// isID tells that the text is the package's id, isVersion its version.
	isID, isVersion bool
}

type filterParser struct {
	tokens    []token
	depth     int
	manifests bool
}

func (p *filterParser) peek() token {
	if len(p.tokens) == 0 {
		return token{kind: endToken, text: "the end"}
	}
	return p.tokens[0]
}

func (p *filterParser) next() token {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// take takes the next token if it is the one.
func (p *filterParser) take(kind tokenKind, text string) bool {
	if t := p.peek(); t.kind != kind || t.text != text {
		return false
	}
	p.next()
	return true
}

func (p *filterParser) expect(sign string) error {
	if t := p.next(); t.kind != signToken || t.text != sign {
		return badFilter("%q was found where %q was expected", t.text, sign)
	}
	return nil
}

func (p *filterParser) or() (expression, error) {
	left, err := p.and()
	for err == nil && p.take(wordToken, "or") {
		var right expression
		if right, err = p.and(); err != nil {
			break
		}
		if left, err = joined(left, right, func(a, b bool) bool { return a || b }); err == nil && left.names != nil && right.names != nil {
			left.names = append(slices.Clone(left.names), right.names...)
		} else {
			left.names = nil
		}
	}
	return left, err
}

func (p *filterParser) and() (expression, error) {
	left, err := p.not()
	for err == nil && p.take(wordToken, "and") {
		var right expression
		if right, err = p.not(); err != nil {
			break
		}
		names := left.names
		if names == nil {
			names = right.names
		}
		left, err = joined(left, right, func(a, b bool) bool { return a && b })
		left.names = names
	}
	return left, err
}

func joined(a, b expression, join func(a, b bool) bool) (expression, error) {
	if a.boolean == nil || b.boolean == nil {
		return a, badFilter("and and or stand between conditions")
	}
	return expression{boolean: func(e *entity) bool { return join(a.boolean(e), b.boolean(e)) }, names: a.names}, nil
}

func (p *filterParser) not() (expression, error) {
	if !p.take(wordToken, "not") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxFilterDepth {
		return expression{}, badFilter("it is nested too deep")
	}
	defer func() { p.depth-- }()
	of, err := p.not()
	if err == nil && of.boolean == nil {
		err = badFilter("not stands before a condition")
	}
	return expression{boolean: func(e *entity) bool { return !of.boolean(e) }}, err
}

// operators are what a comparison makes of the order of two values.
var operators = map[string]func(order int) bool{
	"eq": func(order int) bool { return order == 0 },
	"ne": func(order int) bool { return order != 0 },
	"gt": func(order int) bool { return order > 0 },
	"ge": func(order int) bool { return order >= 0 },
	"lt": func(order int) bool { return order < 0 },
	"le": func(order int) bool { return order <= 0 },
}

func (p *filterParser) comparison() (expression, error) {
	left, err := p.primary()
	if err != nil {
		return left, err
	}
	operator := p.peek()
	holds, ok := operators[operator.text]
	if operator.kind != wordToken || !ok {
		return left, nil
	}
	p.next()
	right, err := p.primary()
	if err != nil {
		return left, err
	}
	return compared(left, right, operator.text, holds)
}

// compared makes a condition of two values.
func compared(a, b expression, operator string, holds func(int) bool) (expression, error) {
	equality := operator == "eq" || operator == "ne"
	switch {
	case !equality && (!a.isVersion || b.literal == nil):
		return a, badFilter("%s compares Version or NormalizedVersion with a text", operator)
	case a.boolean != nil && b.boolean != nil:
		return expression{boolean: func(e *entity) bool { return holds(order(a.boolean(e) == b.boolean(e))) }}, nil
	case a.boolean != nil || b.boolean != nil:
		return a, badFilter("a condition is compared with something else")
	case a.isVersion && b.literal != nil:
		return comparedVersions(b, operator, holds)
	case b.isVersion && a.literal != nil:
		return comparedVersions(a, operator, holds)
	}
	// What is null is "" as well: what a package does not say.
	text := func(x expression, e *entity) string {
		if x.isNull {
			return ""
		}
		return fold(x.text(e))
	}
	result := expression{boolean: func(e *entity) bool { return holds(order(text(a, e) == text(b, e))) }}
	if operator == "eq" && a.isID && b.literal != nil {
		result.names = []string{fold(*b.literal)}
	} else if operator == "eq" && b.isID && a.literal != nil {
		result.names = []string{fold(*a.literal)}
	}
	return result, nil
}

func order(equal bool) int {
	if equal {
		return 0
	}
	return 1
}

func comparedVersions(literal expression, operator string, holds func(int) bool) (expression, error) {
	v, ok := parseVersion(strings.TrimSpace(*literal.literal))
	if !ok {
		if operator == "eq" || operator == "ne" {
			return expression{boolean: func(*entity) bool { return holds(1) }}, nil // it is no package's
		}
		return literal, badFilter("%.100q is no version", *literal.literal)
	}
	return expression{boolean: func(e *entity) bool { return holds(e.version.compare(v)) }}, nil
}

func (p *filterParser) primary() (expression, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return expression{}, badFilter("it is nested too deep")
	}
	defer func() { p.depth-- }()
	t := p.next()
	switch t.kind {
	case textToken:
		return literal(t.text), nil
	case signToken:
		if t.text != "(" {
			break
		}
		e, err := p.or()
		if err != nil {
			return e, err
		}
		return e, p.expect(")")
	case wordToken:
		if p.take(signToken, "(") {
			return p.call(t.text)
		}
		return p.word(t.text)
	}
	return expression{}, badFilter("%q was not expected", t.text)
}

func literal(text string) expression {
	return expression{text: func(*entity) string { return text }, literal: &text}
}

// call reads the arguments of a function.
func (p *filterParser) call(function string) (expression, error) {
	var args []expression
	for {
		arg, err := p.or()
		if err != nil {
			return arg, err
		}
		args = append(args, arg)
		if !p.take(signToken, ",") {
			break
		}
	}
	if err := p.expect(")"); err != nil {
		return expression{}, err
	}
	for _, arg := range args {
		if arg.text == nil {
			return arg, badFilter("%s takes texts", function)
		}
	}
	two := func(holds func(a, b string) bool) (expression, error) {
		if len(args) != 2 {
			return expression{}, badFilter("%s takes two texts", function)
		}
		return expression{boolean: func(e *entity) bool { return holds(fold(args[0].text(e)), fold(args[1].text(e))) }}, nil
	}
	switch function {
	case "tolower":
		if len(args) != 1 {
			return expression{}, badFilter("tolower takes one text")
		}
		lower := args[0]
		of := lower.text
		lower.text = func(e *entity) string { return fold(of(e)) }
		return lower, nil
	case "substringof":
		return two(func(part, of string) bool { return strings.Contains(of, part) })
	case "startswith":
		return two(strings.HasPrefix)
	case "endswith":
		return two(strings.HasSuffix)
	}
	return expression{}, badFilter("there is no function %.100q", function)
}

// word reads a literal or a property.
func (p *filterParser) word(word string) (expression, error) {
	switch word {
	case "true", "false":
		return expression{boolean: func(*entity) bool { return word == "true" }}, nil
	case "null":
		return expression{isNull: true}, nil
	case "Id":
		return expression{text: func(e *entity) string { return e.Name }, isID: true}, nil
	case "Version":
		return expression{text: func(e *entity) string { return e.Version }, isVersion: true}, nil
	case "NormalizedVersion":
		return expression{text: func(e *entity) string { return e.version.String() }, isVersion: true}, nil
	case "IsLatestVersion":
		return expression{boolean: func(e *entity) bool { return e.latest }}, nil
	case "IsAbsoluteLatestVersion":
		return expression{boolean: func(e *entity) bool { return e.absoluteLatest }}, nil
	case "IsPrerelease":
		return expression{boolean: func(e *entity) bool { return e.Prerelease }}, nil
	case "Listed":
		return expression{boolean: func(e *entity) bool { return !e.Yanked }}, nil
	}
	p.manifests = true
	switch word {
	case "Title":
		return expression{text: func(e *entity) string { return e.manifest.Title }}, nil
	case "Description":
		return expression{text: func(e *entity) string { return e.manifest.Description }}, nil
	case "Tags":
		return expression{text: func(e *entity) string { return joinTags(e.manifest) }}, nil
	}
	return expression{}, badFilter("there is no %.100q to filter by", word)
}

// joinTags are the tags as V2 has them, between blanks: a filter looks for one
// with blanks around it.
func joinTags(m *manifest) string {
	if len(m.Tags) == 0 {
		return ""
	}
	return strings.Join(m.Tags, " ")
}
