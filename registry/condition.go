package registry

import (
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/tag"
)

// The conditions here say what ent's own would, in a form for which SQLite
// uses the indexes; plan_test.go watches over that.
//
// ent asks for related rows by EXISTS. SQLite then reads the whole table and
// probes each row; asked by an equality or by IN, it finds the related rows
// first. And ent writes a boolean as NOT internal, which SQLite does not match
// with an index that has the column; internal = false it does.

// published matches versions that clients see.
func published(s *entsql.Selector) { is(packageversion.FieldInternal, false)(s) }

// is matches rows by a boolean.
func is(field string, value bool) func(*entsql.Selector) {
	literal := " = false"
	if value {
		literal = " = true"
	}
	return func(s *entsql.Selector) { s.Where(entsql.ExprP(s.C(field) + literal)) }
}

// ofPackage matches the versions of a package among those that another
// condition has found: the sign before the column keeps the index on it out of
// the plan, which would lead through all versions of the package.
func ofPackage(packageID int64) predicate.PackageVersion {
	return func(s *entsql.Selector) {
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteString("+").Ident(s.C(packageversion.FieldPackageID)).WriteString(" = ").Arg(packageID)
		}))
	}
}

// ofVersion matches the files of a version, internal or not.
func ofVersion(packageID int64, normalizedVersion string) predicate.PackageFile {
	return equals(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
		packageversion.PackageID(packageID), packageversion.NormalizedVersion(normalizedVersion))
}

// underTag matches the version that a tag of the package names.
func underTag(packageID int64, name string) predicate.PackageVersion {
	return equals(packageversion.FieldID, tag.Table, tag.FieldVersionID, tag.PackageID(packageID), tag.SortKey(byteKey(name)))
}

// equals matches rows whose field is the column of the one row of another
// table that matches.
func equals[P ~func(*entsql.Selector)](field, table, column string, where ...P) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		found := selectFrom(s.Dialect(), table, column, where)
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.Ident(s.C(field)).WriteString(" = ")
			b.Wrap(func(b *entsql.Builder) { b.Join(found) })
		}))
	}
}

// in matches rows whose field is among the columns of those rows of another
// table that match.
func in[P ~func(*entsql.Selector)](field, table, column string, where ...P) func(*entsql.Selector) {
	return func(s *entsql.Selector) {
		s.Where(entsql.In(s.C(field), selectFrom(s.Dialect(), table, column, where)))
	}
}

func selectFrom[P ~func(*entsql.Selector)](dialect, table, column string, where []P) *entsql.Selector {
	t := entsql.Dialect(dialect).Table(table)
	found := entsql.Dialect(dialect).Select(t.C(column)).From(t)
	for _, p := range where {
		p(found)
	}
	return found
}
