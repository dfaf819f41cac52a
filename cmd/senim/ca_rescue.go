package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
)

type caRescue struct {
	installed
	sharing
}

// Help is what --help adds.
func (*caRescue) Help() string {
	return `It needs the files of the installation and no login, no server and no certificate that is in force. What has
ended is said from the root downwards, each with what to do; keys of the OCSP and time-stamping services are renewed
where their authority is alive. Nothing is signed with a key whose certificate has ended.

  senim ca rescue --data /var/lib/senim

Exit status: 0 everything of the authority is in force now, 1 something has ended and needs a person, 2 it could
not be looked at.`
}

func (c *caRescue) run(ctx context.Context, p *program) (status int, err error) {
	o, err := c.open(ctx, p, c.sharing)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	ended := 0
	for _, roots := range []bool{true, false} {
		for _, a := range o.ca.Authorities() {
			if a.Retired || (a.Parent == "") != roots {
				continue
			}
			end := a.Certificate.NotAfter
			words := fmt.Sprintf("%s is in force until %s.", a.Name, end.UTC().Format(time.DateOnly))
			if !p.Now().Before(end) {
				ended++
				words = fmt.Sprintf("%s ENDED on %s: ", a.Name, end.UTC().Format(time.DateOnly))
				if roots {
					words += "hold a ceremony for a new root (senim ca ceremony) and take the next generation below it; everybody who trusts the old root needs the new one."
				} else {
					words += "make its next generation: senim ca rollover --help (with a new root where the root has ended too)."
				}
			}
			p.say("%s", words)
		}
	}
	failed := o.ca.Renew(ctx)
	for _, a := range o.ca.Authorities() {
		if !a.Issuing || !p.Now().Before(a.Certificate.NotAfter) {
			continue
		}
		for _, kind := range []string{ca.SignerOCSP, ca.SignerTSA} {
			end, err := o.ca.ServiceEnds(ctx, a.Name, kind)
			switch {
			case errors.Is(err, ca.ErrNotFound):
				continue
			case err != nil:
				return 0, err
			case !p.Now().Before(end):
				ended++
				p.say("%s of %s ENDED on %s and could not be renewed.", kind, a.Name, end.UTC().Format(time.DateOnly))
			default:
				p.say("%s of %s is in force until %s.", kind, a.Name, end.UTC().Format(time.DateOnly))
			}
		}
	}
	p.say("Certificates of operators and administrators that ended: their holders apply for new ones at the cabinet as at the first time, once the authority is in force. Web servers' certificates are renewed by whoever gives them.")
	result := "ok"
	if failed != nil || ended > 0 {
		result = "refused"
	}
	err = o.store.Record(ctx, audit.Event{Action: "ca.rescued", Actor: operator(), Result: result, Detail: map[string]string{"ended": fmt.Sprint(ended)}})
	if err = errors.Join(failed, err); err != nil {
		return 0, err
	}
	if ended > 0 {
		return statusBad, nil
	}
	p.say("Start senimd: it makes the lists.")
	return statusGood, nil
}
