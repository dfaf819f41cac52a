package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/qr"
)

// phoneConfig is signing by QR in eGov Mobile.
type phoneConfig struct {
	// enabled is qr.enabled: by default in the demo alone, since the real app takes registered portals only.
	enabled bool
	// auth is qr.auth: how a phone shows at API 2 that it came from API 1.
	auth string
	// bin is the organisation that runs the portal, as phones show it. Default: the demo's with -cast.
	bin ident.BIN
}

func (c *phoneConfig) flags(f *flag.FlagSet, demo bool) {
	f.BoolVar(&c.enabled, "qr.enabled", demo, "offer signing by QR in eGov Mobile; the real app takes only portals registered with its operator (default: in the demo alone)")
	f.StringVar(&c.auth, "qr.auth", string(mgov.Token), "how a phone shows that it came by the code: Token, Eds (its signature) or None")
	f.Func("qr.bin", "BIN of the organisation that runs the portal, as phones show it (default: the demo's with -cast)", func(v string) (err error) {
		c.bin, err = ident.ParseBIN(v)
		return err
	})
}

func (c *phoneConfig) complete(cast bool) error {
	if cast && c.bin == "" {
		c.bin = binClerk
	}
	switch mgov.Auth(c.auth) {
	case mgov.Token, mgov.Eds, mgov.None:
	default:
		return fmt.Errorf("-qr.auth %s: it is Token, Eds or None", c.auth)
	}
	if c.enabled && c.bin == "" {
		return errors.New("-qr.enabled: phones show whose portal it is: -qr.bin")
	}
	return nil
}

// sweepPhones forgets requests that are long over, every hour.
func (s *server) sweepPhones(d *qr.Desk) {
	if d != nil {
		s.store.Handle(qr.JobSweep, func(ctx context.Context, _ []byte) error { return d.Sweep(ctx) })
		s.store.Every(time.Hour, job.Job{Kind: qr.JobSweep, Unique: "all"})
	}
}

// phones makes the desk of a site, or none. Its key is of the installation, the same on every node.
func (s *server) phones(site, origin string) (*qr.Desk, error) {
	if !s.c.phone.enabled {
		return nil, nil //nolint:nilnil // signing by QR is not offered
	}
	installation, err := s.installationKey()
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, installation, nil, "senim qr", 32)
	if err != nil {
		return nil, fmt.Errorf("make the key of signing by QR: %w", err)
	}
	brand := func(l lang.Tag) string { return l.Text(site + ".brand") }
	return qr.New(qr.Config{Store: s.store.QR(), Judge: s.judge, Key: key, Site: site, Origin: origin, Auth: mgov.Auth(s.c.phone.auth), Now: s.now, Log: s.log,
		Organisation: mgov.Organisation{RU: brand(lang.RU), KK: brand(lang.KK), EN: brand(lang.EN), BIN: string(s.c.phone.bin)}})
}
