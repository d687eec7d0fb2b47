package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/cleanuprule"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/schema"
	"entrepot/ent/tag"
)

const (
	// cleanupBatch is how much one transaction of a cleanup removes.
	cleanupBatch = 100
	// cleanupAttempts is how often a package is decided on anew because it has
	// changed meanwhile.
	cleanupAttempts = 5
	// maxDecisions is how many decisions the record of a run keeps.
	maxDecisions = 1000
	// cleanupLease is for how long a rule belongs to the process that has begun
	// to carry it out: if that dies, another begins afterwards.
	cleanupLease = 15 * time.Minute
)

// RunCleanup carries the owner's enabled rules out now, those of the ids or,
// without any, all; the others keep as ever. confirmed lets more of a package
// go at once than the limit says. The viewer must administer the owner. The
// error tells of what could not be removed; the run, which is returned all the
// same, of what was.
func (r *Registry) RunCleanup(ctx context.Context, ownerName string, ids []int64, confirmed bool) (*ent.CleanupRun, error) {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return nil, err
	}
	return r.runCleanup(access.SystemContext(ctx), o, access.FromContext(ctx), confirmed, func(rule *ent.CleanupRule) bool {
		return len(ids) == 0 || slices.Contains(ids, rule.ID)
	})
}

// CleanUp carries out the rules that are due, of all owners. Any number of
// replicas may run it at once: a rule belongs to the one that moves its due
// time ahead.
func (r *Registry) CleanUp(ctx context.Context) error {
	ctx = access.SystemContext(ctx)
	var failed []error
	for {
		rule, err := r.claimRule(ctx)
		if err != nil || rule == nil {
			return errors.Join(append(failed, err)...)
		}
		if err := r.carryOutDue(ctx, rule); err != nil {
			failed = append(failed, fmt.Errorf("cleanup rule %q: %w", rule.Name, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// claimRule takes a rule that is due, or returns nil.
func (r *Registry) claimRule(ctx context.Context) (*ent.CleanupRule, error) {
	at := now()
	due, err := r.db.CleanupRule.Query().
		Where(cleanuprule.Enabled(true), cleanuprule.NextRunAtLTE(at)).
		Order(ent.Asc(cleanuprule.FieldNextRunAt)).
		Limit(20).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list cleanup rules: %w", err)
	}
	for _, rule := range due {
		n, err := r.db.CleanupRule.Update().
			Where(cleanuprule.ID(rule.ID), cleanuprule.NextRunAt(*rule.NextRunAt)).
			SetNextRunAt(at.Add(cleanupLease)).
			Save(ctx)
		if err != nil {
			return nil, fmt.Errorf("claim cleanup rule: %w", err)
		}
		if n > 0 {
			return rule, nil
		}
	}
	return nil, nil
}

// carryOutDue carries a claimed rule out, and says when it is due again.
func (r *Registry) carryOutDue(ctx context.Context, rule *ent.CleanupRule) error {
	o, err := r.db.Owner.Get(ctx, rule.OwnerID)
	if ent.IsNotFound(err) {
		return r.db.CleanupRule.DeleteOneID(rule.ID).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("look up owner: %w", err)
	}
	_, failure := r.runCleanup(ctx, o, access.SystemViewer(), false, func(other *ent.CleanupRule) bool { return other.ID == rule.ID })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	due, err := r.cleanupDue(CleanupRule{Name: rule.Name, Enabled: true, Schedule: rule.Schedule}, now())
	if err != nil {
		return errors.Join(failure, err)
	}
	u := r.db.CleanupRule.Update().Where(cleanuprule.ID(rule.ID))
	if due == nil {
		u.ClearNextRunAt()
	} else {
		u.SetNextRunAt(*due)
	}
	return errors.Join(failure, u.Exec(ctx))
}

// cleanupRun is a cleanup that removes.
type cleanupRun struct {
	*cleaning
	yield     *yield
	removed   int
	held      int
	decisions []schema.CleanupDecision
	failed    []error
}

func (r *Registry) runCleanup(ctx context.Context, o *ent.Owner, v access.Viewer, confirmed bool, removes func(*ent.CleanupRule) bool) (*ent.CleanupRun, error) {
	c, err := r.cleaning(ctx, o, nil, removes)
	if err != nil {
		return nil, err
	}
	c.confirmed = confirmed
	create := r.db.CleanupRun.Create().SetOwnerID(o.ID).SetRules(c.removing()).SetStartedAt(c.at)
	if v.Kind == access.User {
		create.SetActorID(v.UserID)
	}
	row, err := create.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("record cleanup: %w", err)
	}
	run := &cleanupRun{cleaning: c, yield: newYield(r, o)}
	failure := c.eachPackage(ctx, func(s *Space, p *ent.Pkg) error {
		if err := run.clean(ctx, s, p); err != nil {
			// One package that resists does not keep the others.
			run.failed = append(run.failed, fmt.Errorf("%s %s: %w", p.Type, p.Name, err))
		}
		return ctx.Err()
	})
	failure = errors.Join(append(run.failed, failure)...)
	// What was removed is told even when the caller is gone.
	ctx = context.WithoutCancel(ctx)
	bytes, err := run.yield.bytes(ctx, true)
	failure = errors.Join(failure, err)
	err = r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		u := tx.CleanupRun.UpdateOne(row).SetRemoved(run.removed).SetHeld(run.held).SetBytes(bytes).
			SetDecisions(run.decisions).SetFinishedAt(now())
		if failure != nil {
			u.SetError(failure.Error())
		}
		if row, err = u.Save(ctx); err != nil {
			return fmt.Errorf("record cleanup: %w", err)
		}
		return record(ctx, tx, v, EventCleanedUp, o.ID, nil, map[string]any{
			"rules": run.removing(), "removed": run.removed, "held": run.held, "bytes": bytes, "run": row.ID,
		})
	})
	return row, errors.Join(failure, err)
}

// clean decides on a package and removes what goes, in short transactions. A
// package that changes meanwhile is decided on anew.
func (run *cleanupRun) clean(ctx context.Context, s *Space, p *ent.Pkg) error {
	released := map[int64]bool{}
	for attempt := range cleanupAttempts {
		if attempt > 0 {
			var err error
			if p, err = run.db.Pkg.Get(ctx, p.ID); ent.IsNotFound(err) {
				return nil
			} else if err != nil {
				return fmt.Errorf("read package: %w", err)
			}
		}
		of, err := run.plan(ctx, unitReader{run.db.Client, s}, p)
		if err != nil || of == nil {
			return err
		}
		if attempt == 0 {
			run.note(of)
			if err := run.yield.add(ctx, run.db.Client, of); err != nil {
				return err
			}
		}
		err = run.carryOut(ctx, s, of, released)
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return errChanged
}

var errChanged = Errorf(Conflict, "the package changes all the time; the next run tries again")

// note keeps what becomes of a package for the run's record.
func (run *cleanupRun) note(of *packagePlan) {
	for i, d := range of.decisions {
		if !d.Remove {
			continue
		}
		if of.held {
			run.held++
			continue
		}
		if len(run.decisions) < maxDecisions {
			item := of.item(i, true, false)
			run.decisions = append(run.decisions, schema.CleanupDecision{
				Type: of.pkg.Type, Package: of.pkg.Name, Version: item.Version, File: item.File, Reason: item.Reasons,
			})
		}
	}
	for _, row := range of.untagged {
		if len(run.decisions) < maxDecisions {
			run.decisions = append(run.decisions, schema.CleanupDecision{
				Type: of.pkg.Type, Package: of.pkg.Name, Version: row.normalizedVersion, Reason: []string{untaggedReason},
			})
		}
	}
}

// carryOut removes what a plan says, as long as the package is what it was
// when it was decided on. released gathers the versions that lose a tag.
func (run *cleanupRun) carryOut(ctx context.Context, s *Space, of *packagePlan, released map[int64]bool) error {
	generation := of.pkg.Generation
	batches := func(rows []unitRow, ids []int64, remove batchRemover) error {
		for start := 0; start < len(rows); start += cleanupBatch {
			end := min(start+cleanupBatch, len(rows))
			n, err := run.batch(ctx, s, of.pkg, generation, rows[start:end], ids[start:end], remove)
			if err != nil {
				return err
			}
			generation++
			run.removed += n
		}
		return nil
	}
	pick := func(going []int) (rows []unitRow, ids []int64) {
		for _, i := range going {
			rows, ids = append(rows, of.rows[i]), append(ids, of.units[i].ID)
		}
		return rows, ids
	}
	rows, ids := pick(of.going(true))
	if err := batches(rows, ids, s.yankBatch); err != nil {
		return err
	}
	remove := s.removeVersions
	switch of.counts {
	case CountTags:
		remove = s.removeTags
	case CountFiles:
		remove = s.removeFiles
	}
	rows, ids = pick(of.going(false))
	if err := batches(rows, ids, remove); err != nil {
		return err
	}
	if of.counts != CountTags {
		return nil
	}
	for _, row := range rows {
		released[row.versionID] = true
	}
	// A tag may have been saved by a pull since, so what nothing leads to is
	// found out again.
	untagged, err := unitReader{run.db.Client, s}.untagged(ctx, of.pkg, untagging{released: released, keep: run.keepUntagged, at: run.at})
	if err != nil {
		return err
	}
	return batches(untagged, make([]int64, len(untagged)), s.removeVersions)
}

// batchRemover removes some units of a locked package.
type batchRemover func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, rows []unitRow, ids []int64) error

// batch is one transaction. What was downloaded since the plan was made stays.
func (run *cleanupRun) batch(ctx context.Context, s *Space, p *ent.Pkg, generation int64, rows []unitRow, ids []int64, remove batchRemover) (n int, err error) {
	err = run.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		n = 0
		locked, err := lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if locked == nil || locked.Generation != generation+1 {
			return errChanged
		}
		versionIDs := make([]int64, len(rows))
		for i, row := range rows {
			versionIDs[i] = row.versionID
		}
		since, err := unitReader{tx.Client(), s}.downloadedSince(ctx, versionIDs, run.at)
		if err != nil {
			return err
		}
		var going []unitRow
		var goingIDs []int64
		for i, row := range rows {
			if !since[row.versionID] {
				going, goingIDs = append(going, row), append(goingIDs, ids[i])
			}
		}
		if n = len(going); n == 0 {
			return nil
		}
		return s.journaled(ctx, tx, locked, func() error {
			return s.removeFrom(ctx, tx, locked, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
				return remove(ctx, tx, p, going, goingIDs)
			})
		})
	})
	return n, err
}

func (s *Space) removeVersions(ctx context.Context, tx *ent.Tx, p *ent.Pkg, rows []unitRow, _ []int64) error {
	versions := make([]string, len(rows))
	for i, row := range rows {
		versions[i] = row.normalizedVersion
	}
	return s.dropPublished(ctx, tx, p, versions)
}

func (s *Space) removeTags(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ []unitRow, ids []int64) error {
	_, err := s.takeTags(ctx, tx, p, tag.IDIn(ids...))
	return err
}

func (s *Space) removeFiles(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ []unitRow, ids []int64) error {
	files, err := tx.PackageFile.Query().Where(packagefile.IDIn(ids...)).All(ctx)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for _, f := range files {
		if err := s.dropFile(ctx, tx, p, f); err != nil {
			return err
		}
	}
	return nil
}

// yankBatch marks versions as yanked, whatever else is said of them.
func (s *Space) yankBatch(ctx context.Context, tx *ent.Tx, p *ent.Pkg, rows []unitRow, _ []int64) error {
	ids := make([]int64, len(rows))
	changes := map[string]Status{}
	for i, row := range rows {
		ids[i] = row.versionID
		changes[row.normalizedVersion] = Status{Yanked: true}
	}
	err := tx.PackageVersion.Update().Where(packageversion.IDIn(ids...)).
		SetYanked(true).
		SetStatusReason(strings.TrimSpace(s.Viewer.Agent)).
		SetUpdatedAt(now()).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("yank versions: %w", err)
	}
	if err := s.reg.relist(ctx, tx, p.ID, packageversion.IDIn(ids...)); err != nil {
		return err
	}
	return s.record(ctx, tx, EventStatusChanged, p, changes)
}
