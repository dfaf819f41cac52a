package ca

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"senim/internal/audit"
)

// ProfileVersion is one state of a profile: when it came, and when another took its place or it was
// retired.
type ProfileVersion struct {
	Name, Digest string
	Text         []byte // the profile as JSON
	Came         time.Time
	Went         time.Time // zero while it is in force
}

// recordProfiles keeps which profiles came and went when (BR 5.4.1). Opened with the set it had
// before, it writes nothing.
func (s *Service) recordProfiles(ctx context.Context) error {
	var same bool
	err := s.store.View(ctx, func(tx Tx) error {
		had, err := tx.ProfileVersions(ctx, false)
		c := s.compare(had)
		same = len(c.added)+len(c.changed)+len(c.retired) == 0
		return err
	})
	if err == nil && !same {
		err = s.store.Update(ctx, s.storeProfiles(ctx))
	}
	if err != nil {
		return fmt.Errorf("record profiles: %w", err)
	}
	return nil
}

func (s *Service) storeProfiles(ctx context.Context) func(Tx) error {
	return func(tx Tx) error {
		had, err := tx.ProfileVersions(ctx, false)
		if err != nil {
			return err
		}
		c := s.compare(had)
		now := s.now()
		for _, name := range append(c.changed, c.retired...) {
			if err := tx.EndProfile(ctx, name, now); err != nil {
				return err
			}
		}
		for _, name := range append(c.changed, c.added...) {
			p := s.profiles[name]
			text, err := json.Marshal(p)
			if err != nil {
				return err
			}
			if err := tx.AddProfile(ctx, ProfileVersion{Name: name, Digest: p.Digest(), Text: text, Came: now}); err != nil {
				return err
			}
		}
		return c.tell(ctx, tx, s.profiles.Digest())
	}
}

// difference between the set of before and that of now, by name.
type difference struct {
	first                   bool // there was none before
	added, changed, retired []string
}

func (s *Service) compare(had []ProfileVersion) (c difference) {
	before := map[string]string{}
	for _, v := range had {
		before[v.Name] = v.Digest
		if _, ok := s.profiles[v.Name]; !ok {
			c.retired = append(c.retired, v.Name)
		}
	}
	c.first = len(had) == 0
	for _, name := range s.profiles.Names() {
		digest, ok := before[name]
		switch {
		case !ok:
			c.added = append(c.added, name)
		case digest != s.profiles[name].Digest():
			c.changed = append(c.changed, name)
		}
	}
	return c
}

// tell writes an audit record for each profile that came, changed or went. The first set of an
// installation is one record: the table holds its profiles.
func (c difference) tell(ctx context.Context, tx Tx, set string) error {
	if c.first {
		return tellProfiles(ctx, tx, "ca.profiles_set", set, fmt.Sprint(len(c.added), " profiles"))
	}
	err := tellProfiles(ctx, tx, "ca.profile_added", set, c.added...)
	if err == nil {
		err = tellProfiles(ctx, tx, "ca.profile_changed", set, c.changed...)
	}
	if err == nil {
		err = tellProfiles(ctx, tx, "ca.profile_retired", set, c.retired...)
	}
	return err
}

func tellProfiles(ctx context.Context, tx Tx, action, set string, objects ...string) error {
	for _, object := range objects {
		err := tx.Audit(ctx, audit.Event{Action: action, Actor: "system", Object: object, Result: "ok", Detail: map[string]string{"set": set}})
		if err != nil {
			return err
		}
	}
	return nil
}
