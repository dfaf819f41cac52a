package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/store"
)

// profileDigests names every profile in use with a digest of what it says.
func profileDigests() map[string]string {
	all := map[string]string{}
	for _, name := range ca.Profiles() {
		p, _ := ca.FindProfile(name)
		all[name] = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%+v", p)))
	}
	return all
}

// recordProfiles records which profiles came into use or went out of it since the records before.
func recordProfiles(ctx context.Context, s *store.Store, now map[string]string) error {
	const most = 100_000
	was := map[string]audit.Record{}
	for _, action := range []string{"profile.introduced", "profile.retired"} {
		records, err := s.FindAudit(ctx, store.AuditQuery{Action: action, Limit: most})
		if err != nil {
			return err
		}
		for _, r := range records {
			if !r.At.Before(was[r.Object].At) {
				was[r.Object] = r
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if r := was[name]; r.Action != "profile.introduced" || r.Detail["sha256"] != now[name] {
			err := s.Record(ctx, audit.Event{Action: "profile.introduced", Actor: "system", Object: name, Result: "ok", Detail: map[string]string{"sha256": now[name]}})
			if err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, in := now[name]; !in && was[name].Action == "profile.introduced" {
			if err := s.Record(ctx, audit.Event{Action: "profile.retired", Actor: "system", Object: name, Result: "ok"}); err != nil {
				return err
			}
		}
	}
	return nil
}
