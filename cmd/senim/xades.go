package main

import (
	"context"
	"strings"

	"senim/dsig"
	"senim/internal/trust"
)

const checkStamp = "timestamp"

// addXAdES puts what the properties of a signature say into its evidence.
func addXAdES(check *trust.Check, x *dsig.XAdES) {
	if x == nil {
		return
	}
	check.Evidence["level"] = string(x.Level)
	if !x.SigningTime.IsZero() {
		check.Evidence["signingTime"] = stamp(x.SigningTime)
	}
	if len(x.Warnings) > 0 {
		check.Evidence["warnings"] = strings.Join(x.Warnings, "; ")
	}
}

// stamps checks the authorities of time-stamps that are known to cover the signature. One that is not
// good makes the whole answer not good: what it proves could not be told.
func (t *trusted) stamps(ctx context.Context, x *dsig.XAdES) (r trust.Report, err error) {
	if x == nil {
		return nil, nil
	}
	for _, s := range x.Timestamps {
		check := trust.Check{Name: checkStamp, Evidence: map[string]string{
			"time": stamp(s.Token.Time), "authority": s.Authority.Subject.String(), "serial": s.Authority.SerialHex(),
		}}
		all, err := t.certificate(ctx, s.Authority, trust.Any)
		if err != nil {
			return nil, err
		}
		var made trust.Report
		for _, c := range all {
			if c.Verdict != skipped {
				made = append(made, c)
			}
		}
		check.Verdict = made.Verdict()
		if first, ok := made.First(); ok {
			check.Code, check.Evidence["error"] = first.Code, "its authority: "+first.Name+" "+string(first.Verdict)+joined("", prefixed(", ", explain(first)))
		}
		r = append(r, check)
	}
	return r, nil
}
