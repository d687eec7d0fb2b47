package registry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"entrepot/access"
	"entrepot/ent"
)

// FindingKind is what is wrong, for programs.
type FindingKind string

// The kinds of finding.
const (
	// DamagedDatabase: the database's own check failed.
	DamagedDatabase FindingKind = "damaged-database"
	// MissingBytes: a row names an object that is not there.
	MissingBytes FindingKind = "missing-bytes"
	// DamagedBytes: an object does not have the content its row tells.
	DamagedBytes FindingKind = "damaged-bytes"
	// UnreadableBytes: the store has the object and does not give it out.
	UnreadableBytes FindingKind = "unreadable-bytes"
	// WrongSize: a row tells another size than its sound object has.
	WrongSize FindingKind = "wrong-size"
	// WrongDigest: a row tells another digest than its sound object has.
	WrongDigest FindingKind = "wrong-digest"
	// SetAside: files name content that was set aside and is sound.
	SetAside FindingKind = "set-aside"
	// StrayObject: no row names an object.
	StrayObject FindingKind = "stray-object"
	// WrongMark: content that files name is marked for removal, or content
	// that none names is not.
	WrongMark FindingKind = "wrong-mark"
	// WrongCount: a package's number of versions is not theirs.
	WrongCount FindingKind = "wrong-count"
	// WrongLatest: a package's latest version is another one.
	WrongLatest FindingKind = "wrong-latest"
	// StrayTag: a tag names a version of another package.
	StrayTag FindingKind = "stray-tag"
	// StrayProperty: a property belongs to a row that is gone.
	StrayProperty FindingKind = "stray-property"
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind FindingKind
	// Subject is the thing: a file with its owner, type, package and version;
	// a package; a content's digest; an object's key.
	Subject string
	// Detail is a sentence for people, without a final stop.
	Detail string
	// Fixed tells that it was put right.
	Fixed bool
}

// DiagnoseOptions say how thorough Diagnose is.
type DiagnoseOptions struct {
	// Fix repairs what can be repaired. Rows that clients see are never
	// deleted for it, but for tags that name another package's version, which
	// mislead. Content whose bytes are lost or damaged is set aside: its files
	// stay listed and fail to download as before, but no further publish will
	// take it for stored, so that publishing the same bytes anywhere brings
	// them back, and a second Diagnose with Fix then joins the old files to
	// them. Likewise when the object itself is restored from a backup.
	Fix bool
	// ReadEvery says how much content is read again: one blob in so many,
	// chosen at random. 0 and 1 read all, below 0 none; the sizes of all are
	// compared anyway.
	ReadEvery int
	// StrayAge is how old an object must be to be reported when no row names
	// it; 0 reports all. It need not cover uploads: an object is theirs as
	// long as its key's lease stands.
	StrayAge time.Duration
}

// Diagnose compares the database with the store and with itself, and reports
// what is wrong. It reads all content unless told otherwise, and lists the
// store. It may run beside everything else: nothing is reported that has not
// been looked at again in a state in which no publish can be halfway. report
// is called by one goroutine at a time. The error is about the examination:
// it could not be finished.
func (r *Registry) Diagnose(ctx context.Context, opts DiagnoseOptions, report func(Finding)) error {
	d := &diagnosis{Registry: r, opts: opts, at: now(), report: report}
	ctx = access.SystemContext(ctx)
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"check the database", d.database},
		{"check contents", d.blobs},
		{"check marks", d.marks},
		{"check objects", d.objects},
		{"check tags", d.tags},
		{"check packages", d.packages},
		{"check properties", d.properties},
	} {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// diagnoseBatch is how many rows are held in memory at a time.
const diagnoseBatch = 500

// diagnosis is one run of the doctor.
type diagnosis struct {
	*Registry
	opts DiagnoseOptions
	at   time.Time

	mu     sync.Mutex
	report func(Finding)
}

func (d *diagnosis) found(f Finding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report(f)
}

// reads decides whether a blob is among those that are read again.
func (d *diagnosis) reads() bool {
	return d.opts.ReadEvery >= 0 && (d.opts.ReadEvery <= 1 || rand.IntN(d.opts.ReadEvery) == 0)
}

// database lets the database check itself.
func (d *diagnosis) database(ctx context.Context) error {
	problems, err := d.db.Check(ctx)
	if err != nil {
		return err
	}
	for _, problem := range problems {
		d.found(Finding{Kind: DamagedDatabase, Subject: "database", Detail: problem})
	}
	return nil
}

// settled looks at a row again inside a transaction that has locked its
// package, and runs what it returns in that transaction when the defect is
// still there and to be fixed.
func (d *diagnosis) settled(ctx context.Context, examine func(ctx context.Context, tx *ent.Tx) (*Finding, func() error, error)) error {
	var f *Finding
	err := d.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		var fix func() error
		var err error
		f, fix, err = examine(ctx, tx)
		if err != nil || f == nil || !d.opts.Fix || fix == nil {
			return err
		}
		if err := fix(); err != nil {
			return err
		}
		f.Fixed = true
		return nil
	})
	if err == nil && f != nil {
		d.found(*f)
	}
	return err
}
