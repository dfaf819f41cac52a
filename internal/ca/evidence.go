package ca

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/pki"
)

// Evidence is what is known of the authority's acts from outside its database: what it published, and
// the copy of the audit record kept on another machine.
type Evidence struct {
	// Lists are published revocation lists, full and delta, in any order. Each must be of one of our
	// authorities, or the whole is refused.
	Lists []*pki.RevocationList
	// Acts come from the audit record, in the order of each node's chain.
	Acts []Act
}

// Act is a record of the audit chain about a certificate or a list.
type Act struct {
	At     time.Time
	Action string // ca.will_sign, ca.issued, ca.revoked …; others are passed over
	Object string // the serial, or the authority of a list
	Detail map[string]string
}

// Difference is what a database lacks.
type Difference struct {
	// Lost are certificates that were signed, or may have been, and are not here.
	Lost []Loss
	// Revoked are revocations, changes of their reason and lifted holds that are not here.
	Revoked []Change
	// Numbers are the highest numbers of published lists, of authorities that have given fewer here.
	Numbers map[string]int64
}

// Empty reports that the database lacks nothing.
func (d *Difference) Empty() bool {
	return len(d.Lost) == 0 && len(d.Revoked) == 0 && len(d.Numbers) == 0
}

// String is the difference in short, for the log and for the audit record.
func (d *Difference) String() string {
	if d.Empty() {
		return "nothing is missing"
	}
	return fmt.Sprintf("%d certificates, %d revocations and the list numbers of %d authorities are missing", len(d.Lost), len(d.Revoked), len(d.Numbers))
}

// Loss is a certificate that is not in the database.
type Loss struct {
	Serial, CA, Order, Profile string
	// SHA256 is the digest of the certificate in hex; "" when nobody saw that it was finished.
	SHA256 string
	At     time.Time
}

// Change is a revocation that is not in the database, or a hold that was lifted (RemoveFromCRL).
type Change struct {
	Serial, CA string
	Revocation
	// Source says where it is known from: "list 17" or "audit".
	Source string
}

// learned is what evidence says of one serial. What was said later counts, but a final revocation is
// never taken back, nor a compromised key.
type learned struct {
	change Change
	said   time.Time
}

func (k *learned) learn(c Change, said time.Time) {
	first := k.change.Serial == ""
	had, has := gravity(k.change.Reason), gravity(c.Reason)
	if !first && (had > has || had == has && said.Before(k.said)) {
		return
	}
	k.change, k.said = c, said
}

// gravity orders reasons: one of more takes the place of one of less, never the other way round.
func gravity(r Reason) int {
	switch r {
	case CertificateHold, pki.RemoveFromCRL:
		return 0
	case KeyCompromise:
		return 2
	default:
		return 1
	}
}

// gathered is evidence in the order of serials.
type gathered struct {
	losses  map[string]*Loss
	changes map[string]*learned
	numbers map[string]int64
	upper   map[string]*pki.RevocationList // the newest full list of authorities that work elsewhere
}

// gather reads evidence; lists are held against the authorities' keys.
func (s *Service) gatherEvidence(e Evidence) (*gathered, error) {
	g := &gathered{map[string]*Loss{}, map[string]*learned{}, map[string]int64{}, map[string]*pki.RevocationList{}}
	for _, act := range e.Acts {
		g.act(act)
	}
	for _, l := range e.Lists {
		a, err := s.publisher(l)
		if err != nil {
			return nil, err
		}
		if l.Number == nil || !l.Number.IsInt64() {
			return nil, fmt.Errorf("a published list of %s has no number", a.name)
		}
		g.numbers[a.name] = max(g.numbers[a.name], l.Number.Int64())
		if !a.works() { // what a root revokes is on record where the root is; here its list counts
			if newest := g.upper[a.name]; l.BaseNumber == nil && (newest == nil || newest.Number.Cmp(l.Number) < 0) {
				g.upper[a.name] = l
			}
			continue
		}
		for _, entry := range l.Entries {
			serial := pki.SerialHex(entry.Serial)
			g.learn(Change{Serial: serial, CA: a.name, Source: fmt.Sprintf("list %s", l.Number),
				Revocation: Revocation{At: entry.RevokedAt, Reason: entry.Reason, Invalidity: entry.InvalidAt, By: byReconcile}}, l.ThisUpdate)
		}
	}
	return g, nil
}

// publisher is the authority that signed a list, one of all certificates or a divided one.
func (s *Service) publisher(l *pki.RevocationList) (*authority, error) {
	for _, name := range s.order {
		if a := s.authorities[name]; l.CheckPartSignatureFrom(a.cert) == nil {
			return a, nil
		}
	}
	return nil, fmt.Errorf("a list of %s is not signed by any of our authorities", l.Issuer)
}

func (g *gathered) learn(c Change, said time.Time) {
	if g.changes[c.Serial] == nil {
		g.changes[c.Serial] = &learned{}
	}
	g.changes[c.Serial].learn(c, said)
}

func (g *gathered) act(a Act) {
	switch a.Action {
	case "ca.will_sign", "ca.issued":
		loss := g.losses[a.Object]
		if loss == nil {
			loss = &Loss{Serial: a.Object, CA: a.Detail["ca"], Order: a.Detail["order"], Profile: a.Detail["profile"], At: a.At}
			g.losses[a.Object] = loss
		}
		if a.Action == "ca.issued" {
			loss.SHA256 = a.Detail["sha256"]
		}
	case "ca.revoked", "ca.hold_made_final", "ca.reason_changed":
		g.learn(Change{Serial: a.Object, CA: a.Detail["ca"], Source: "audit", Revocation: a.revocation()}, a.At)
	case "ca.hold_lifted":
		g.learn(Change{Serial: a.Object, CA: a.Detail["ca"], Source: "audit", Revocation: Revocation{Reason: pki.RemoveFromCRL, By: byReconcile}}, a.At)
	case "ca.list_published":
		var n int64
		if _, err := fmt.Sscan(a.Detail["number"], &n); err == nil {
			g.numbers[a.Object] = max(g.numbers[a.Object], n)
		}
	}
}

// revocation is what a record says of one. Records of before said no date: it counts from the record.
func (a Act) revocation() Revocation {
	v := Revocation{At: a.At.UTC().Truncate(time.Second), Reason: reasonOf(a.Detail["reason"]), By: byReconcile}
	if at, err := time.Parse(time.RFC3339, a.Detail["revoked_at"]); err == nil {
		v.At = at.UTC()
	}
	if at, err := time.Parse(time.RFC3339, a.Detail["invalidity"]); err == nil {
		v.Invalidity = at.UTC()
	}
	return v
}

// reasonOf reads a reason as the audit record has it. What cannot be read is still a revocation.
func reasonOf(s string) Reason {
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil || !allowed(Reason(n)) {
		return Unspecified
	}
	return Reason(n)
}

func byTime(a, b Loss) int {
	return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Serial, b.Serial))
}

func sortChanges(all []Change) {
	slices.SortFunc(all, func(a, b Change) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Serial, b.Serial)) })
}
