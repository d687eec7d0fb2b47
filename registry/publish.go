package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
)

// Policy says what a publication expects of its version.
type Policy int

// The policies.
const (
	// CreateVersion: the version must be new.
	CreateVersion Policy = iota
	// CreateOrAdd: the version may be there, the files must be new.
	CreateOrAdd
	// AddToExisting: the version must be there, the files must be new.
	AddToExisting
)

// Overwrite says what becomes of a file that is there already.
type Overwrite int

// The overwrite policies.
const (
	// OverwriteNever: it is a conflict.
	OverwriteNever Overwrite = iota
	// OverwriteIdentical: the same bytes change nothing, others conflict.
	OverwriteIdentical
	// OverwriteAlways: the new bytes take the place of the old.
	OverwriteAlways
)

// Publication is all there is to say of one publish.
type Publication struct {
	// Name and NormalizedName are the package's; the first spelling is kept.
	Name, NormalizedName string
	// Version and NormalizedVersion are the version's.
	Version, NormalizedVersion string
	// SortKey orders the versions of the package; see SemVerKey, NaturalKey
	// and TimeKey.
	SortKey string
	// Prerelease versions are latest only where there is no other.
	Prerelease bool
	// Internal versions are not shown: they hold files that belong to no
	// version.
	Internal bool
	// Facts are what all types know of a version.
	Facts Facts
	// Respell lets the package take over the publication's spelling of its
	// name.
	Respell bool
	// Redescribe lets Facts and Metadata take the place of those of a version
	// that is there already, and, with OverwriteAlways, files that of files
	// with another spelling of their name; without it they are for a new one
	// alone.
	Redescribe bool
	// Status is what a new version begins with.
	Status Status
	// Metadata is what the type keeps of its own; it is stored as JSON.
	Metadata any
	// Files are added to the version.
	Files []File
	// Properties are attached to the version.
	Properties []Property
	// PackageProperties are attached to the package, in place of those that it
	// has by the same names.
	PackageProperties []Property
	// Tags are set to the version, wherever they pointed before.
	Tags []string
	// MoveTags are set to other versions, that exist, in the same
	// transaction: tag to normalized version.
	MoveTags map[string]string
	// TagGuard, if not nil, is asked within the transaction before one of Tags
	// is set; current is the normalized version it names, "" for a new tag. Its
	// error refuses the publication.
	TagGuard func(tag, current string) error
	// Check, if not nil, is asked within the transaction before anything is
	// written. Its error refuses the publication.
	Check func(context.Context, Holdings) error

	Policy    Policy
	Overwrite Overwrite
	// IfMatch, if not empty, lets an existing file be replaced only while its
	// SHA-256 is this one.
	IfMatch string
	// Duplicate, if not empty, is the message of the conflict when the
	// version, or the file, is there already: some clients look for its words.
	Duplicate string

	// Unfinished tells that more files follow: what the type's Expiry would
	// remove waits for the last of them.
	Unfinished bool

	// upload, if not nil, ends with the publication.
	upload *ent.BlobUpload
}

// Facts are what all package types know of a version.
type Facts struct {
	Summary       string
	Readme        string
	License       string
	Homepage      string
	RepositoryURL string
	Authors       []string
	Keywords      []string
	Dependencies  []Dependency
}

// File is a file of a publication.
type File struct {
	Name           string
	NormalizedName string
	// CompositeKey tells files of one name apart.
	CompositeKey string
	MediaType    string
	// Lead marks the version's main file, whose downloads count.
	Lead bool
	// Fragment is the file's part of composed documents.
	Fragment []byte
	// Content is the file's stored bytes.
	Content *Stored
	// Blob refers to bytes that a file has already, in place of Content. The
	// caller has checked that the viewer may read them.
	Blob *ent.PackageBlob
	// Properties are attached to the file.
	Properties []Property
	// Renew lets Fragment and Properties take the place of those of a file that
	// is there already and may be overwritten, also when its bytes are the same.
	Renew bool
	// Displaces are the normalized names of files with the same composite key
	// that go when this one comes.
	Displaces []string
}

// Property is a name and a value that the type can find rows by.
type Property struct{ Name, Value string }

// Published is what a publication has made.
type Published struct {
	Package *ent.Pkg
	Version *ent.PackageVersion
	Files   []*ent.PackageFile
	// NewVersion tells that the version was not there before.
	NewVersion bool
}

// Publish writes one publication in one transaction: all of it or nothing.
// The viewer must be allowed to write. Stored contents are taken over: bytes
// that turn out to be known already, or that were not published after all,
// are removed. Errors: Conflict when the version or a file is there and may
// not be, NotFound when it should be there and is not, Precondition when
// IfMatch does not hold, Invalid when texts cannot be stored.
func (s *Space) Publish(ctx context.Context, p Publication) (*Published, error) {
	var spare []*Stored
	published, err := s.publish(ctx, p, &spare)
	if err != nil {
		// A commit of which nobody knows whether it succeeded may have left
		// rows that name the contents; the collector finds out.
		for _, f := range p.Files {
			if !errors.Is(err, errCommit) {
				s.reg.Discard(ctx, f.Content)
			}
		}
		return nil, err
	}
	s.reg.Discard(ctx, spare...)
	return published, nil
}

func (s *Space) publish(ctx context.Context, p Publication, spare *[]*Stored) (*Published, error) {
	if err := s.check(access.Write, ""); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	metadata, err := encodeMetadata(p.Metadata)
	if err != nil {
		return nil, err
	}
	var done Published
	err = s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		w := &publishing{space: s, tx: tx, p: &p, metadata: metadata, at: now()}
		err := w.run(ctx)
		done, *spare = w.done, w.spare
		return err
	})
	if err != nil {
		return nil, err
	}
	return &done, nil
}

// validate refuses what one of the databases could not store.
func (p *Publication) validate() error {
	for _, t := range []struct{ field, text string }{
		{"name", p.Name}, {"version", p.Version}, {"summary", p.Facts.Summary}, {"readme", p.Facts.Readme},
		{"license", p.Facts.License}, {"homepage", p.Facts.Homepage}, {"repository", p.Facts.RepositoryURL},
	} {
		if !storableText(t.text) {
			return FieldErrorf(t.field, "%s is not valid UTF-8 text", t.field)
		}
	}
	for _, f := range p.Files {
		if !storableText(f.Name) {
			return FieldErrorf("file", "the file's name is not valid UTF-8 text")
		}
		if (f.Content == nil) == (f.Blob == nil) {
			return fmt.Errorf("file %q: want either content or a blob", f.Name)
		}
	}
	return nil
}

func encodeMetadata(metadata any) (json.RawMessage, error) {
	if metadata == nil {
		return nil, nil
	}
	raw, err := json.Marshal(metadata)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	// PostgreSQL's jsonb has no room for the NUL character.
	return bytes.ReplaceAll(raw, []byte(`\u0000`), []byte(`\ufffd`)), nil
}

// publishing is one run of a publication inside its transaction.
type publishing struct {
	space    *Space
	tx       *ent.Tx
	p        *Publication
	metadata json.RawMessage
	at       time.Time

	done  Published
	spare []*Stored
	// newFiles tells that a file was added or replaced; changed are those
	// files, added the lead files that were not there before.
	newFiles       bool
	changed, added []*ent.PackageFile
}

func (w *publishing) run(ctx context.Context) error {
	if err := w.lockPackage(ctx); err != nil {
		return err
	}
	if err := w.admit(ctx); err != nil {
		return err
	}
	if err := w.version(ctx); err != nil {
		return err
	}
	if err := w.files(ctx); err != nil {
		return err
	}
	if err := w.describe(ctx); err != nil {
		return err
	}
	if err := w.index(ctx); err != nil {
		return err
	}
	if err := w.expire(ctx); err != nil {
		return err
	}
	lines, err := w.tags(ctx)
	if err != nil || w.p.Internal {
		return err
	}
	p, err := w.space.settle(ctx, w.tx, w.done.Package, w.at)
	if err != nil {
		return err
	}
	w.done.Package = p
	if w.done.NewVersion || w.newFiles {
		kind := EventFilePublished
		if w.done.NewVersion {
			kind = EventVersionPublished
		}
		details := map[string]any{"version": w.p.Version, "files": fileNames(w.p.Files)}
		line, err := newEvent(w.tx, w.space.Viewer, kind, w.space.Owner.ID, p, details)
		if err != nil {
			return err
		}
		lines = append([]*ent.EventCreate{line}, lines...)
	}
	if err := recordAll(ctx, w.tx, lines...); err != nil {
		return err
	}
	return w.journal(ctx)
}

// admit asks whether the publication may go on, and ends the upload it comes
// from.
func (w *publishing) admit(ctx context.Context) error {
	if u := w.p.upload; u != nil {
		n, err := w.tx.BlobUpload.Delete().Where(sameRevision(u)...).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end upload: %w", err)
		}
		if n == 0 {
			return errUploadInUse
		}
	}
	if w.p.Check == nil {
		return nil
	}
	return w.p.Check(ctx, Holdings{w.tx.Client(), w.done.Package})
}

// tags sets the tags and returns the lines to be recorded of those that moved.
func (w *publishing) tags(ctx context.Context) ([]*ent.EventCreate, error) {
	p, others := w.done.Package, slices.Sorted(maps.Keys(w.p.MoveTags))
	if len(w.p.Tags)+len(others) == 0 {
		return nil, nil
	}
	standing, err := standingTags(ctx, w.tx, p, tagsNamed(slices.Concat(w.p.Tags, others)))
	if err != nil {
		return nil, err
	}
	var lines []*ent.EventCreate
	point := func(name string, v *ent.PackageVersion) error {
		line, err := w.space.pointTag(ctx, w.tx, p, name, standing[name], v, w.at)
		if err != nil || line == nil {
			return err
		}
		// A name that comes twice moves on from where it is by now.
		standing[name] = standingTag{Name: name, VersionID: v.ID, Version: v.Version, NormalizedVersion: v.NormalizedVersion}
		lines = append(lines, line)
		return nil
	}
	for _, name := range w.p.Tags {
		if w.p.TagGuard != nil {
			if err := w.p.TagGuard(name, standing[name].NormalizedVersion); err != nil {
				return nil, err
			}
		}
		if err := point(name, w.done.Version); err != nil {
			return nil, err
		}
	}
	for _, name := range others {
		v, err := versionNamed(ctx, w.tx, p.ID, w.p.MoveTags[name])
		if err != nil {
			return nil, err
		}
		if err := point(name, v); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// lockPackage gets or makes the package and raises its generation, which on
// PostgreSQL makes publishes of one package wait for each other.
func (w *publishing) lockPackage(ctx context.Context) error {
	for range 3 {
		existing, err := w.tx.Pkg.Query().
			Where(pkg.OwnerID(w.space.Owner.ID), pkg.Type(w.space.Type.Name), pkg.NormalizedName(w.p.NormalizedName)).
			Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return fmt.Errorf("look up package: %w", err)
		}
		if existing == nil {
			id, err := w.tx.Pkg.Create().
				SetOwnerID(w.space.Owner.ID).
				SetType(w.space.Type.Name).
				SetName(w.p.Name).
				SetNormalizedName(w.p.NormalizedName).
				SetUpdatedAt(w.at).
				OnConflictColumns(pkg.FieldOwnerID, pkg.FieldType, pkg.FieldNormalizedName).
				Ignore().
				ID(ctx)
			if err != nil {
				return fmt.Errorf("insert package: %w", err)
			}
			if existing, err = w.tx.Pkg.Get(ctx, id); err != nil {
				return fmt.Errorf("read package: %w", err)
			}
		}
		locked, err := lock(ctx, w.tx, existing)
		if err != nil {
			return err
		}
		if locked != nil && w.p.Respell && locked.Name != w.p.Name {
			if locked, err = w.tx.Pkg.UpdateOne(locked).SetName(w.p.Name).Save(ctx); err != nil {
				return fmt.Errorf("spell package: %w", err)
			}
		}
		if locked != nil {
			w.done.Package = locked
			return nil
		}
		// Deleted by another transaction between the two statements.
	}
	return Errorf(Conflict, "the package is being deleted, try again")
}

// lock raises the package's generation and returns the package as it is then,
// or nil when it is gone.
func lock(ctx context.Context, tx *ent.Tx, p *ent.Pkg) (*ent.Pkg, error) {
	locked, err := tx.Pkg.UpdateOneID(p.ID).AddGeneration(1).Save(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock package: %w", err)
	}
	return locked, nil
}

func (w *publishing) version(ctx context.Context) error {
	p := w.p
	v, err := w.tx.PackageVersion.Query().
		Where(packageversion.PackageID(w.done.Package.ID), packageversion.NormalizedVersion(p.NormalizedVersion)).
		Only(ctx)
	switch {
	case err != nil && !ent.IsNotFound(err):
		return fmt.Errorf("look up version: %w", err)
	case v != nil && p.Policy == CreateVersion:
		return w.conflict("version %s of %s is there already", p.Version, p.Name)
	case v == nil && p.Policy == AddToExisting:
		return Errorf(NotFound, "version not found")
	case v != nil && p.Redescribe:
		return w.redescribe(ctx, v)
	case v != nil:
		w.done.Version = v
		return nil
	}
	if err := w.exhume(ctx); err != nil {
		return err
	}
	create := w.tx.PackageVersion.Create().
		SetPackageID(w.done.Package.ID).
		SetVersion(p.Version).
		SetNormalizedVersion(p.NormalizedVersion).
		SetSortKey(p.SortKey).
		SetPrerelease(p.Prerelease).
		SetInternal(p.Internal).
		SetSummary(p.Facts.Summary).
		SetReadme(p.Facts.Readme).
		SetLicense(p.Facts.License).
		SetHomepage(p.Facts.Homepage).
		SetRepositoryURL(p.Facts.RepositoryURL).
		SetAuthors(p.Facts.Authors).
		SetKeywords(p.Facts.Keywords).
		SetDependencies(p.Facts.Dependencies).
		SetDeprecated(p.Status.Deprecated).
		SetYanked(p.Status.Yanked).
		SetStatusReason(p.Status.Reason).
		SetCreatedAt(w.at).
		SetUpdatedAt(w.at)
	if w.metadata != nil {
		create.SetMetadata(w.metadata)
	}
	if w.space.Viewer.Kind == access.User {
		create.SetCreatorID(w.space.Viewer.UserID)
	}
	v, err = create.Save(ctx)
	if err != nil {
		return fmt.Errorf("insert version: %w", err)
	}
	w.done.Version, w.done.NewVersion = v, true
	if p.Internal {
		return nil
	}
	locked, err := w.tx.Pkg.UpdateOne(w.done.Package).AddVersionCount(1).Save(ctx)
	if err != nil {
		return fmt.Errorf("count version: %w", err)
	}
	w.done.Package = locked
	return nil
}

// redescribe writes the publication's facts over those of the version.
func (w *publishing) redescribe(ctx context.Context, v *ent.PackageVersion) error {
	f := w.p.Facts
	u := w.tx.PackageVersion.UpdateOneID(v.ID).
		SetSummary(f.Summary).
		SetReadme(f.Readme).
		SetLicense(f.License).
		SetHomepage(f.Homepage).
		SetRepositoryURL(f.RepositoryURL).
		SetAuthors(f.Authors).
		SetKeywords(f.Keywords).
		SetDependencies(f.Dependencies)
	// One or the other: PostgreSQL refuses to be told both.
	if w.metadata != nil {
		u.SetMetadata(w.metadata)
	} else {
		u.ClearMetadata()
	}
	v, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("describe version: %w", err)
	}
	w.done.Version = v
	return nil
}

// describe attaches the properties to the version and to the package. A version
// that was there before may have some of them.
func (w *publishing) describe(ctx context.Context) error {
	properties := w.p.Properties
	if len(properties) > 0 && !w.done.NewVersion {
		there, err := w.tx.Property.Query().
			Where(property.RefTypeEQ(property.RefTypeVersion), property.RefID(w.done.Version.ID)).
			All(ctx)
		if err != nil {
			return fmt.Errorf("look up properties: %w", err)
		}
		properties = slices.DeleteFunc(slices.Clone(properties), func(p Property) bool {
			return slices.ContainsFunc(there, func(t *ent.Property) bool { return t.Name == p.Name && t.Value == p.Value })
		})
	}
	if err := attach(ctx, w.tx, property.RefTypeVersion, w.done.Version.ID, properties); err != nil {
		return err
	}
	if len(w.p.PackageProperties) == 0 {
		return nil
	}
	names := make([]string, len(w.p.PackageProperties))
	for i, p := range w.p.PackageProperties {
		names[i] = p.Name
	}
	_, err := w.tx.Property.Delete().
		Where(property.RefTypeEQ(property.RefTypePackage), property.RefID(w.done.Package.ID), property.NameIn(names...)).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("replace properties: %w", err)
	}
	return attach(ctx, w.tx, property.RefTypePackage, w.done.Package.ID, w.p.PackageProperties)
}

// attach adds properties to a row, each once.
func attach(ctx context.Context, tx *ent.Tx, ref property.RefType, id int64, properties []Property) error {
	var rows []*ent.PropertyCreate
	seen := make(map[Property]bool, len(properties))
	for _, p := range properties {
		if !seen[p] {
			seen[p] = true
			rows = append(rows, tx.Property.Create().SetRefType(ref).SetRefID(id).SetName(p.Name).SetValue(p.Value))
		}
	}
	for chunk := range slices.Chunk(rows, lookUpAtOnce) {
		if err := tx.Property.CreateBulk(chunk...).Exec(ctx); err != nil {
			return fmt.Errorf("attach properties: %w", err)
		}
	}
	return nil
}

// versionNamed finds a published version inside a transaction, with its id and
// its names alone.
func versionNamed(ctx context.Context, tx *ent.Tx, packageID int64, normalizedVersion string) (*ent.PackageVersion, error) {
	v, err := tx.PackageVersion.Query().
		Where(packageversion.PackageID(packageID), packageversion.NormalizedVersion(normalizedVersion), published).
		Select(packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion).
		Only(ctx)
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "version not found: %s", normalizedVersion)
	}
	return v, err
}

// storableText tells whether both databases can keep the text: PostgreSQL
// takes neither NUL nor anything but UTF-8.
func storableText(text string) bool {
	return !strings.ContainsRune(text, 0) && strings.ToValidUTF8(text, "") == text
}
