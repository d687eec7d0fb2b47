package registry

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/robfig/cron/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/cleanuprule"
	"entrepot/ent/cleanuprun"
	"entrepot/ent/schema"
	"entrepot/registry/retention"
)

// CleanupRule is what people say of a retention rule.
type CleanupRule struct {
	// Name is unique among the owner's rules.
	Name string
	// Enabled rules alone remove and keep.
	Enabled bool
	// Schedule is a cron expression of five fields, or @daily and the like, in
	// UTC; empty for the server's.
	Schedule string
	Spec     schema.CleanupSpec
}

const (
	// maxCleanupRules bounds the rules of one owner.
	maxCleanupRules = 100
	maxRuleName     = 100
	// cleanupJitter spreads rules of one schedule, so that they do not all begin
	// at once.
	cleanupJitter = 10 * time.Minute
)

// CleanupRules lists the rules of an owner, by name. The viewer must
// administer the owner, as for all that follows here.
func (r *Registry) CleanupRules(ctx context.Context, ownerName string) ([]*ent.CleanupRule, error) {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return nil, err
	}
	return r.cleanupRules(access.SystemContext(ctx), o)
}

func (r *Registry) cleanupRules(ctx context.Context, o *ent.Owner) ([]*ent.CleanupRule, error) {
	rules, err := r.db.CleanupRule.Query().
		Where(cleanuprule.OwnerID(o.ID)).
		Order(ent.Asc(cleanuprule.FieldName)).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list cleanup rules: %w", err)
	}
	return rules, nil
}

// SaveCleanupRule makes a rule, or, with an id, changes one. Errors: Invalid
// for a rule that cannot be carried out, Conflict when the name is taken,
// NotFound for an unknown id.
func (r *Registry) SaveCleanupRule(ctx context.Context, ownerName string, id *int64, in CleanupRule) (*ent.CleanupRule, error) {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return nil, err
	}
	if in.Name == "" || len(in.Name) > maxRuleName || !storableText(in.Name) {
		return nil, FieldErrorf("name", "want a name of 1 to %d bytes", maxRuleName)
	}
	if _, err := r.compileRule(in.Spec); err != nil {
		return nil, err
	}
	due, err := r.cleanupDue(in, now())
	if err != nil {
		return nil, err
	}
	var saved *ent.CleanupRule
	err = r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		kind := EventRuleChanged
		if id == nil {
			kind = EventRuleCreated
			n, err := tx.CleanupRule.Query().Where(cleanuprule.OwnerID(o.ID)).Count(ctx)
			if err != nil {
				return fmt.Errorf("count cleanup rules: %w", err)
			}
			if n >= maxCleanupRules {
				return Errorf(Conflict, "%s has %d cleanup rules already", o.Name, n)
			}
			saved, err = tx.CleanupRule.Create().SetOwnerID(o.ID).SetName(in.Name).SetEnabled(in.Enabled).
				SetSchedule(in.Schedule).SetSpec(in.Spec).SetNillableNextRunAt(due).Save(ctx)
			if err != nil {
				return ruleError(err, in.Name)
			}
		} else {
			there, err := ruleOf(ctx, tx, o, *id)
			if err != nil {
				return err
			}
			u := tx.CleanupRule.UpdateOneID(there.ID).SetName(in.Name).SetEnabled(in.Enabled).
				SetSchedule(in.Schedule).SetSpec(in.Spec).SetUpdatedAt(now())
			if due == nil {
				u.ClearNextRunAt()
			} else {
				u.SetNextRunAt(*due)
			}
			if saved, err = u.Save(ctx); err != nil {
				return ruleError(err, in.Name)
			}
		}
		return record(ctx, tx, access.FromContext(ctx), kind, o.ID, nil, in)
	})
	return saved, err
}

func ruleError(err error, name string) error {
	if ent.IsConstraintError(err) {
		return &Error{Code: Conflict, Field: "name", Message: fmt.Sprintf("there is a rule %q already", name)}
	}
	return fmt.Errorf("save cleanup rule: %w", err)
}

func ruleOf(ctx context.Context, tx *ent.Tx, o *ent.Owner, id int64) (*ent.CleanupRule, error) {
	rule, err := tx.CleanupRule.Query().Where(cleanuprule.ID(id), cleanuprule.OwnerID(o.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "cleanup rule not found")
	}
	if err != nil {
		return nil, fmt.Errorf("look up cleanup rule: %w", err)
	}
	return rule, nil
}

// DeleteCleanupRule removes a rule. What it has removed does not come back.
func (r *Registry) DeleteCleanupRule(ctx context.Context, ownerName string, id int64) error {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return err
	}
	v := access.FromContext(ctx)
	return r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		rule, err := ruleOf(ctx, tx, o, id)
		if err != nil {
			return err
		}
		if err := tx.CleanupRule.DeleteOne(rule).Exec(ctx); err != nil {
			return fmt.Errorf("delete cleanup rule: %w", err)
		}
		return record(ctx, tx, v, EventRuleDeleted, o.ID, nil, map[string]any{"name": rule.Name})
	})
}

// compileRule makes a rule ready; what is wrong with it is an Invalid.
func (r *Registry) compileRule(spec schema.CleanupSpec) (*retention.Rule, error) {
	rule, err := retention.Compile(spec, func(typ string) bool { _, known := r.types[typ]; return known })
	if mistake, is := errors.AsType[*retention.FieldError](err); is {
		return nil, FieldErrorf("spec."+mistake.Field, "%s", mistake.Message)
	}
	return rule, err
}

// cleanupDue is when a rule is to be carried out next; nil when it is not to
// be, or when there is no schedule.
func (r *Registry) cleanupDue(in CleanupRule, after time.Time) (*time.Time, error) {
	expression := in.Schedule
	if expression == "" {
		expression = r.cleanupSchedule
	}
	if len(expression) > maxRuleName {
		return nil, FieldErrorf("schedule", "the schedule is too long")
	}
	if !in.Enabled || expression == "" {
		return nil, nil
	}
	schedule, err := ParseSchedule(expression)
	if err != nil {
		return nil, FieldErrorf("schedule", "the schedule cannot be read: %v", err)
	}
	h := fnv.New32a()
	h.Write([]byte(in.Name)) // never fails
	due := schedule.Next(after)
	if due.IsZero() {
		return nil, FieldErrorf("schedule", "the schedule never comes")
	}
	due = due.Add(time.Duration(h.Sum32()%uint32(cleanupJitter/time.Second)) * time.Second)
	return &due, nil
}

// ParseSchedule reads a cron expression of five fields, or @daily and the
// like; times are UTC.
func ParseSchedule(expression string) (cron.Schedule, error) {
	return cron.ParseStandard("CRON_TZ=UTC " + expression)
}

// CleanupRuns lists the runs of an owner's rules, newest first, at most limit
// of them before the one with the id; 0 begins with the newest.
func (r *Registry) CleanupRuns(ctx context.Context, ownerName string, before int64, limit int) ([]*ent.CleanupRun, error) {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return nil, err
	}
	q := r.db.CleanupRun.Query().Where(cleanuprun.OwnerID(o.ID)).Order(ent.Desc(cleanuprun.FieldID)).Limit(limit)
	if before > 0 {
		q.Where(cleanuprun.IDLT(before))
	}
	runs, err := q.All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list cleanup runs: %w", err)
	}
	return runs, nil
}

// SetPinned says of versions of the package whether no rule may remove them.
// The viewer must be allowed to manage the package.
func (s *Space) SetPinned(ctx context.Context, p *ent.Pkg, normalizedVersions []string, pinned bool) error {
	if err := s.check(access.Manage, p.Visibility); err != nil {
		return err
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		for _, version := range normalizedVersions {
			v, err := versionNamed(ctx, tx, p.ID, version)
			if err != nil {
				return err
			}
			if err := tx.PackageVersion.UpdateOneID(v.ID).SetPinned(pinned).Exec(ctx); err != nil {
				return fmt.Errorf("pin version: %w", err)
			}
		}
		return s.record(ctx, tx, EventVersionPinned, p, map[string]any{"versions": normalizedVersions, "pinned": pinned})
	})
}

// removeCleanup removes an owner's rules and the records of their runs.
func removeCleanup(ctx context.Context, tx *ent.Tx, o *ent.Owner) error {
	if _, err := tx.CleanupRule.Delete().Where(cleanuprule.OwnerID(o.ID)).Exec(ctx); err != nil {
		return fmt.Errorf("remove cleanup rules: %w", err)
	}
	if _, err := tx.CleanupRun.Delete().Where(cleanuprun.OwnerID(o.ID)).Exec(ctx); err != nil {
		return fmt.Errorf("remove cleanup runs: %w", err)
	}
	return nil
}
