package ra

import (
	"context"
	"fmt"
	"time"

	"senim/internal/lang"
	"senim/pki"
)

// HowIssued is how a key came to be.
type HowIssued struct {
	// Number is that of the application; empty when none is known here.
	Number string
	// How the person was identified, as a key of the catalogue: "reports.how.desk", "reports.how.reissue" …
	How string
	// Where the application was made: "reports.where.online", "reports.where.desk"; empty when not known.
	Where string
	At    time.Time
}

// Issuances tells how each key of a list came to be, by serial. All are of the person iin.
func (o *Office) Issuances(ctx context.Context, iin string, keys []Key) (map[string]HowIssued, error) {
	var mine []Application
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		mine, err = tx.OfPerson(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find how keys were issued: %w", err)
	}
	all := make(map[string]HowIssued, len(keys))
	for _, k := range keys {
		i := HowIssued{How: "reports.how.unknown", At: k.NotBefore}
		for _, a := range mine {
			for _, c := range a.Certificates {
				if c.Serial == k.Serial {
					i.Number, i.Where, i.How = a.Number, a.where(), a.how()
				}
			}
		}
		if c, err := pki.ParseCertificate(k.Raw); err == nil { // what the certificate itself says counts for more
			switch h := c.Holder(); {
			case h.Has(pki.RoleIdentifiedAtDesk):
				i.How, i.Where = "reports.how.desk", "reports.where.desk"
			case h.Has(pki.RoleIdentifiedRemotely), h.Has(pki.RoleIdentifiedOtherwise):
				i.How = "reports.how.remote"
			}
		}
		all[k.Serial] = i
	}
	return all, nil
}

// how names the text that says how the applicant was identified; a kind without one is not guessed about.
func (a *Application) how() string {
	if a.Visit.First.Done() {
		return "reports.how.desk"
	}
	if key := "reports.how." + string(a.Kind); lang.Has(key) {
		return key
	}
	return "reports.how.unknown"
}

func (a *Application) where() string {
	switch a.Kind {
	case Reissue, FirstHead, Employee:
		return "reports.where.online"
	case Issuance:
		return "reports.where.desk"
	}
	return ""
}
