package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/published"
	"senim/internal/restore"
)

// suspended reports that the database is older than what left this machine, or that it could not be checked.
func (s *server) suspended() bool { return s.ca != nil && s.ca.Suspended() != "" }

// places are where evidence lies. At the first start what is not there yet was never published.
func (s *server) places() (restore.Places, error) {
	p := restore.Places{}
	for _, place := range s.c.published {
		if _, err := os.Stat(place); s.first && restore.NotThere(err) && !strings.Contains(place, "://") {
			continue
		}
		p.Published = append(p.Published, place)
	}
	if s.c.export != "" && !strings.HasPrefix(s.c.export, "exec:") && !strings.Contains(s.c.export, "://") {
		p.Audit = s.c.export
	}
	b, err := os.ReadFile(filepath.Join(s.c.data, auditKeyFile))
	if err == nil {
		p.Key, err = audit.ParsePublicKey(b)
	} else if restore.NotThere(err) {
		err = nil
	}
	return p, err
}

// check holds the database against what was published and exported, before anything is done with it. A
// reason to stand still is answered, not an error: pages and /health are to say it.
//
// From then on this process writes an audit chain of another name: whatever it added to its own would not
// be what was exported, and the lost records could not be put back.
func (s *server) check(ctx context.Context, service *ca.Service) (string, error) {
	why := s.missing(ctx, service)
	if why != "" {
		s.log.Error("the authority is suspended: nothing is issued, revoked, listed or answered", "why", why)
		s.store.UseNode(s.store.Node() + "-suspended-" + s.now().UTC().Format("20060102T150405.000"))
	}
	return why, nil
}

// uncompared warns of an installation that could not tell an older copy of its database: nothing that is
// read at the start left the machine. It is no reason to stand still, for nothing was ever published
// where the first start could look. The demonstration has nothing to lose.
func (s *server) uncompared(p restore.Places) string {
	if s.c.cast || len(p.Published) > 0 || p.Audit != "" || s.c.publish != "" {
		return ""
	}
	return "an older copy of the database would open as good: nothing that left this machine is read at the start; give -published, or a folder with -audit.export"
}

const remedy = "; stop the server, look with `senim ca reconcile --data %s`, and bring in what is missing with --apply"

func (s *server) missing(ctx context.Context, service *ca.Service) string {
	places, err := s.places()
	var found *restore.Found
	var d *ca.Difference
	if err == nil {
		if s.warning = s.uncompared(places); s.warning != "" {
			s.log.Error("restore", "warning", s.warning)
		}
		found, err = restore.Read(ctx, s.store, places)
	}
	if err == nil {
		d, err = service.Compare(ctx, found.Evidence)
	}
	if err != nil {
		return fmt.Sprintf("whether the database is older than what was published could not be checked: %v; make the place readable (-published, -audit.export) and start again", err)
	}
	for _, c := range found.Chains {
		switch {
		case c.Forked == 0:
			return "the database is an older copy: " + c.String() + fmt.Sprintf(remedy, s.c.data)
		case c.Node == s.store.Node():
			return c.String() + ": an older copy was used after it was put back" + fmt.Sprintf(remedy, s.c.data) + "; then start with another -node, whose records begin anew"
		default:
			s.log.Warn("audit", "error", c.String())
		}
	}
	if !d.Empty() {
		return "the database is an older copy: " + d.String() + fmt.Sprintf(remedy, s.c.data)
	}
	return ""
}

// lay writes a list into the folder of -publish: "gost" as gost.crl, "gost/8-3" as gost_8-3.crl, deltas
// with _d at the end.
func (s *server) lay(_ context.Context, name string, delta bool, l *ca.List) error {
	name = strings.ReplaceAll(name, "/", "_")
	if delta {
		name += "_d"
	}
	return published.Folder{Dir: s.c.publish}.Put(name, l.Raw)
}

// tend does what is due, and keeps for health whether it could be done.
func (s *server) tend(ctx context.Context) error {
	err := errors.Join(s.ca.Tend(ctx), s.tellLateLists(ctx))
	s.tended.Store(&err)
	return err
}

// Answers of health: strangers read them, the log says more.
var (
	errSuspended = errors.New("suspended: the database is older than what was published, or this could not be checked; see the log")
	errLateList  = errors.New("a revocation is not in a published list within -crl.max_delay; see the log")
	errTended    = errors.New("lists or services could not be renewed; see the log, and senim ca rescue")
)

// health says first what everything else follows from.
func (s *server) health(ctx context.Context) error {
	if s.suspended() {
		return errSuspended
	}
	for _, a := range s.ca.Authorities() {
		if !a.Retired && !s.now().Before(a.Certificate.NotAfter) {
			return fmt.Errorf("the authority %s ended at %s: senim ca rescue says what to do", a.Name, a.Certificate.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	if late, err := s.late(ctx); err != nil {
		return err
	} else if len(late) > 0 {
		return errLateList
	}
	if err := s.tended.Load(); err != nil && *err != nil {
		return errTended
	}
	return s.auditor.health(ctx)
}
