package graph

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/registry"
)

// What one request may ask for. They are checked in this order, each before
// anything that it bounds is done.
const (
	// maxBody is the length of a request in bytes, its file aside.
	maxBody = 256 << 10
	// maxTokens is the length of a query in words of the language.
	maxTokens = 4000
	// maxDepth is how deep fields lie within fields. Introspection by the
	// usual tools needs 13.
	maxDepth = 20
	// maxFields is how many fields a query has once its fragments are in
	// place.
	maxFields = 5000
	// maxComplexity is about how many values the answer may have.
	maxComplexity = 10_000
	// maxPlanItems is how many items a plan tells.
	maxPlanItems = 1000
	// maxPage is how many elements of a connection one may ask for at once.
	maxPage = 100
)

// tooComplex is above the limit however it is added up.
const tooComplex = maxComplexity + 1

// weights are the complexities of fields that cost more, or give more values,
// than one; child is that of one value. Connections have a rule of their own.
var weights = map[string]func(child int, args map[string]any) int{
	"Query.nodes":                 func(child int, args map[string]any) int { return perElement(child, args["ids"]) },
	"Query.packageTypes":          func(child int, _ map[string]any) int { return 1 + 30*child },
	"Search.owners":               func(child int, args map[string]any) int { return perPage(child, args["first"]) },
	"Search.types":                func(child int, _ map[string]any) int { return 1 + 30*child },
	"Owner.packageTypes":          func(child int, _ map[string]any) int { return 1 + 30*child },
	"Owner.genericOverwrite":      func(child int, _ map[string]any) int { return 1 + 10*child },
	"Owner.cleanupRules":          func(child int, _ map[string]any) int { return 50 + 10*child },
	"Owner.cleanupRuns":           perList,
	"Query.cleanupPreview":        perPlan,
	"Package.version":             func(child int, _ map[string]any) int { return 20 + child },
	"Package.instructions":        func(child int, _ map[string]any) int { return 1 + 10*child },
	"PackageVersion.instructions": func(child int, _ map[string]any) int { return 1 + 10*child },
	"PackageVersion.dependencies": func(child int, _ map[string]any) int { return 1 + 10*child },
	"PackageVersion.facts":        func(child int, _ map[string]any) int { return 1 + 10*child },
	"PackageType.instructions":    func(child int, _ map[string]any) int { return 20 + 10*child },
	"Package.tagHistory":          perList,
	"PackageVersion.referrers":    perList,
	"Readme.html":                 func(int, map[string]any) int { return 50 },
}

// limitedSchema counts complexity by what a field is: a connection costs its
// page times one element, and is too complex without a page, so that none can
// be forgotten.
type limitedSchema struct{ graphql.ExecutableSchema }

func (s limitedSchema) Complexity(_ context.Context, typeName, field string, child int, args map[string]any) (int, bool) {
	if child >= tooComplex {
		return tooComplex, true
	}
	if weigh, ok := weights[typeName+"."+field]; ok {
		return weigh(child, args), true
	}
	if def := s.Schema().Types[typeName].Fields.ForName(field); def != nil && strings.HasSuffix(def.Type.Name(), "Connection") {
		return perPage(child, pageOf(args)), true
	}
	return 0, false
}

// perPage is the complexity of a page of n elements; nil is no bound at all.
func perPage(child int, n any) int {
	if n == nil {
		return tooComplex
	}
	count, err := graphql.UnmarshalInt(n)
	if err != nil || count < 0 || count > maxPage {
		return tooComplex
	}
	return 1 + count*child
}

// perList is the complexity of a connection that costs statements of its own
// wherever it stands.
func perList(child int, args map[string]any) int {
	return min(tooComplex, 50+perPage(child, pageOf(args)))
}

// perPlan is the complexity of a plan, which looks at all packages of an owner,
// and of the items that are told of it.
func perPlan(child int, args map[string]any) int {
	n, err := graphql.UnmarshalInt(args["limit"])
	if err != nil || n < 0 || n > maxPlanItems {
		return tooComplex
	}
	return min(tooComplex, 500+n*child)
}

// pageOf is how many elements of a connection are asked for, nil when it is not
// said.
func pageOf(args map[string]any) any {
	if n := args["first"]; n != nil {
		return n
	}
	return args["last"]
}

// perElement is the complexity of a list of things that were named.
func perElement(child int, list any) int {
	elements, ok := list.([]any)
	if !ok {
		return 1 + child
	}
	if len(elements) > maxPage {
		return tooComplex
	}
	return 1 + len(elements)*child
}

// shapeLimit bounds the depth of a query and its length with fragments in
// place. Fragments that use fragments twice each double it with every line;
// counting the complexity would already take forever.
type shapeLimit struct{}

// ExtensionName names the extension to gqlgen.
func (shapeLimit) ExtensionName() string { return "ShapeLimit" }

// Validate is part of graphql.HandlerExtension.
func (shapeLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses a query that is too deep or too long.
func (shapeLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	m := measure{fragments: map[string]shape{}}
	s := m.selections(op.Operation.SelectionSet)
	var err *gqlerror.Error
	switch {
	case s.depth > maxDepth:
		err = gqlerror.Errorf("the query is more than %d fields deep", maxDepth)
	case s.fields > maxFields:
		err = gqlerror.Errorf("the query has more than %d fields", maxFields)
	default:
		return nil
	}
	errcode.Set(err, "COMPLEXITY_LIMIT_EXCEEDED")
	return err
}

// shape is the depth and the number of fields of a part of a query.
type shape struct{ depth, fields int }

// measure measures each fragment once. Validation has ruled out fragments
// that use themselves.
type measure struct{ fragments map[string]shape }

func (m measure) selections(set ast.SelectionSet) shape {
	var total shape
	for _, selection := range set {
		var s shape
		switch selection := selection.(type) {
		case *ast.Field:
			s = m.selections(selection.SelectionSet)
			s.depth++
			s.fields++
		case *ast.InlineFragment:
			s = m.selections(selection.SelectionSet)
		case *ast.FragmentSpread:
			s = m.fragment(selection)
		}
		total.depth = max(total.depth, s.depth)
		total.fields = min(total.fields+s.fields, maxFields+1)
	}
	return total
}

func (m measure) fragment(spread *ast.FragmentSpread) shape {
	s, known := m.fragments[spread.Name]
	if !known && spread.Definition != nil {
		s = m.selections(spread.Definition.SelectionSet)
		m.fragments[spread.Name] = s
	}
	return s
}

// textCheck refuses text that no database can keep or compare: PostgreSQL
// takes neither NUL nor what is not UTF-8.
type textCheck struct{}

// ExtensionName names the extension to gqlgen.
func (textCheck) ExtensionName() string { return "TextCheck" }

// Validate is part of graphql.HandlerExtension.
func (textCheck) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses a request with such text anywhere.
func (textCheck) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	if storable(params.Query) && !strings.Contains(params.Query, `\u0000`) && storableValue(params.Variables) {
		return nil
	}
	err := gqlerror.Errorf("text is UTF-8 without the NUL character")
	errcode.Set(err, string(registry.Invalid))
	return err
}

func storable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

func storableValue(v any) bool {
	switch v := v.(type) {
	case string:
		return storable(v)
	case []any:
		for _, e := range v {
			if !storableValue(e) {
				return false
			}
		}
	case map[string]any:
		for key, e := range v {
			if !storable(key) || !storableValue(e) {
				return false
			}
		}
	}
	return true
}
