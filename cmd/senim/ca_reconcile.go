package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/ra"
	"senim/internal/restore"
	"senim/internal/store"
	"senim/internal/vault"
)

type caReconcile struct {
	installed
	sharing
	Published   []string `help:"Folders, files or addresses of the lists that were published." placeholder:"PLACE"`
	Audit       string   `help:"Folder that the audit was exported to." placeholder:"DIR"`
	Certificate []string `help:"Lost certificates that their holders brought." placeholder:"FILE"`
	Apply       bool     `help:"Do it; without this it is only said."`
}

// Help is what --help adds.
func (*caReconcile) Help() string {
	return `After an older copy of the database was put back: what was published and exported since is held against it.
Revocations come back, numbers of lists and serials are not given again, certificates that are lost go on hold until
their holders bring them, applications, delegations and dismissals that ended since are ended again, letters that may
have gone are not sent a second time, the audit goes on where it was. Stop senimd first; one that runs stays suspended until it
is started again.

  senim ca reconcile --data data --published /srv/crl --audit /mnt/audit
  senim ca reconcile --data data --published /srv/crl --audit /mnt/audit --apply
  senim ca reconcile --data data --certificate brought.cer --apply

Exit status: 0 nothing is missing, or it was brought in; 1 something is missing; 2 it could not be checked.`
}

func (c *caReconcile) run(ctx context.Context, p *program) (status int, err error) {
	if len(c.Published) == 0 && c.Audit == "" && len(c.Certificate) == 0 {
		return 0, &hinted{errors.New("nothing to hold the database against"), "--published DIR and --audit DIR name what left the machine; both say more than one"}
	}
	o, err := c.open(ctx, p, c.sharing)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	places := restore.Places{Published: c.Published, Key: o.key}
	for i, place := range c.Published {
		if _, err := os.Stat(p.path(place)); err == nil {
			places.Published[i] = p.path(place)
		}
	}
	if c.Audit != "" {
		places.Audit = p.path(c.Audit)
	}
	found, err := restore.Read(ctx, o.store, places)
	if err != nil {
		return 0, err
	}
	d, err := o.ca.Compare(ctx, found.Evidence)
	if err != nil {
		return 0, err
	}
	c.tellMissing(p, found, d)
	whole := d.Empty() && len(found.Chains) == 0
	if !c.Apply {
		if whole {
			return statusGood, nil
		}
		p.say("Nothing was changed; --apply brings it in.")
		return statusBad, nil
	}
	if !whole {
		if err := c.apply(ctx, p, o, found); err != nil {
			return 0, err
		}
	}
	for _, name := range c.Certificate {
		if err := c.giveBack(ctx, p, o, name); err != nil {
			return 0, err
		}
	}
	p.say("Start senimd now; one that is suspended stays so until it is started again.")
	return statusGood, nil
}

// tellMissing says in words what the database lacks.
func (c *caReconcile) tellMissing(p *program, found *restore.Found, d *ca.Difference) {
	for _, chain := range found.Chains {
		p.say("Audit: %s.", chain)
		if chain.Foreign {
			p.say("  Its checkpoints are signed with another key than this installation's, the one in the export.")
		}
		if chain.Forked > 0 {
			p.say("  Its records stay as they are: start that node under another name (senimd -node).")
		}
	}
	for _, l := range d.Lost {
		what := "was issued; it goes on hold until its holder brings it"
		if l.SHA256 == "" {
			what = "may have been signed; it is revoked"
		}
		p.say("Certificate %s of %s, %s, %s.", l.Serial, l.CA, l.At.UTC().Format(time.RFC3339), what)
	}
	for _, r := range d.Revoked {
		p.say("Revocation of %s of %s, reason %d, is missing (%s).", r.Serial, r.CA, int(r.Reason), r.Source)
	}
	for name, number := range d.Numbers {
		p.say("Lists of %s were published up to number %d, and this database gave fewer.", name, number)
	}
	if d.Empty() && len(found.Chains) == 0 && (len(c.Published) > 0 || c.Audit != "") {
		p.say("Nothing is missing.")
	}
}

// apply brings it in: the records first, then the audit, so that an interruption in between is found again.
func (c *caReconcile) apply(ctx context.Context, p *program, o *opened, found *restore.Found) error {
	done, err := found.Apply(ctx, o.store, o.ca, operator())
	if err != nil {
		return err
	}
	p.say("Done: %d certificates on hold or revoked, %d revocations brought back, new lists published; %d records of the audit of %d nodes put back.",
		len(done.Lost), len(done.Revoked), done.Records, done.Nodes)
	if w := done.Work; w != (ra.Reapplied{}) {
		p.say("Of what people did since: %d applications and %d delegations ended or changed, %d dismissals marked.", w.Applications, w.Delegations, w.Dismissals)
		if w.Unknown > 0 {
			p.say("  %d dismissed persons have no key here by which they could be found: ask the heads to mark them again.", w.Unknown)
		}
	}
	if c.Audit == "" {
		p.say("What people withdrew, refused or ended since is not on the lists: only --audit says it.")
	}
	if done.Letters > 0 {
		p.say("%d letters were waiting when the copy was made and may have gone out since: they stand as uncertain at the desk, where an operator decides.", done.Letters)
	}
	return nil
}

// giveBack returns a certificate that its holder brought.
func (c *caReconcile) giveBack(ctx context.Context, p *program, o *opened, name string) error {
	certs, err := p.certificates(name)
	if err != nil {
		return err
	}
	if len(certs) != 1 {
		return fmt.Errorf("read %s: %d certificates, not one", name, len(certs))
	}
	info, err := o.ca.Return(ctx, certs[0].Raw, operator())
	if errors.Is(err, ca.ErrNotFound) {
		return &notGood{fmt.Errorf("%s: no certificate with this serial is lost here", name)}
	}
	if err != nil {
		return err
	}
	state := "it is in force again"
	if info.Revoked != nil {
		state = fmt.Sprintf("it stays revoked, reason %d", int(info.Revoked.Reason))
	}
	p.say("Certificate %s is back; %s.", info.Serial, state)
	return nil
}

// opened is an installation that a command works on.
type opened struct {
	store *store.Store
	ca    *ca.Service
	key   *audit.Verifier // of its audit; nil when it has none yet
}

func (o *opened) close() error { return o.store.Close() }

// open opens an installation that exists. What is done is recorded in a chain of its own: the one of the
// console may be among those that are to be put back.
func (i installed) open(ctx context.Context, p *program, s sharing) (*opened, error) {
	dir := p.path(i.Data)
	words, err := p.combine(s.Share)
	if err != nil {
		return nil, err
	}
	if words == nil {
		name := i.PassphraseFile
		if name == "" {
			name = filepath.Join(i.Data, "passphrase")
		}
		if words, err = p.private(name); err != nil {
			return nil, err
		}
		words = bytes.TrimSpace(words)
	}
	h := home{Data: i.Data, DB: i.DB, KeyFile: i.KeyFile}
	at, err := h.open(ctx, p, "-rescue-"+p.Now().UTC().Format("20060102T150405.000"))
	if err != nil {
		return nil, err
	}
	o := &opened{store: at}
	keys, err := vault.Open(filepath.Join(dir, "vault"), words)
	if err == nil {
		o.ca, err = ca.Open(ctx, ca.Config{Store: at.CA(), Keys: keys, Now: p.Now,
			// suspended from the beginning: only what is asked for here is done
			Check: func(context.Context, *ca.Service) (string, error) { return "work at the console", nil }})
	}
	if err == nil {
		var b []byte
		if b, err = os.ReadFile(filepath.Join(dir, "audit.pub")); err == nil {
			o.key, err = audit.ParsePublicKey(b)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(err, at.Close())
	}
	return o, nil
}
