package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"senim/internal/profile"
)

type caProfiles struct {
	File  string   `short:"f" help:"File of profiles, as senimd -profiles takes it: shows the set it makes, or every mistake in it." placeholder:"FILE"`
	JSON  bool     `name:"json" help:"Answer in JSON."`
	Names []string `arg:"" optional:"" help:"Show everything these profiles say, in the form of such a file." name:"profile"`
}

// Help is what --help adds.
func (*caProfiles) Help() string {
	return `A profile is what the certificates of one kind have in common. Without names there is a line for each.

  senim ca profiles
  senim ca profiles individual head-auth
  senim ca profiles -f profiles.yaml

The digest changes whenever a profile says anything else; the authority records it, and the audit log
tells when profiles came, changed and went.`
}

// profiled is a profile in JSON.
type profiled struct {
	Digest string `json:"digest"`
	profile.Profile
}

func (c *caProfiles) run(_ context.Context, p *program) error {
	set := profile.NCA()
	if c.File != "" {
		b, err := p.readUpTo(c.File, 1<<20)
		if err != nil {
			return err
		}
		if set, err = profile.Read(b, set); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
	}
	names := c.Names
	if len(names) == 0 {
		names = set.Names()
	}
	var chosen []profile.Profile
	for _, name := range names {
		one, ok := set[name]
		if !ok {
			return fmt.Errorf("there is no profile %q", name)
		}
		chosen = append(chosen, one)
	}
	return c.show(p, set, chosen)
}

func (c *caProfiles) show(p *program, set profile.Set, chosen []profile.Profile) error {
	if c.JSON {
		all := make([]profiled, len(chosen))
		for i, one := range chosen {
			all[i] = profiled{one.Digest(), one}
		}
		p.json(map[string]any{"set": set.Digest(), "profiles": all})
		return nil
	}
	if len(c.Names) > 0 {
		for _, one := range chosen {
			if err := one.Write(p.Stdout); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(p.Stdout, 0, 8, 2, ' ', 0)
	for _, one := range chosen {
		var keys []string
		for _, k := range one.Keys {
			keys = append(keys, k.String())
		}
		days := fmt.Sprint(one.FileDays)
		if one.CarrierDays != one.FileDays {
			days += fmt.Sprint("/", one.CarrierDays)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s days\t%s\t%s\n", one.Name, strings.Join(keys, ", "), days, one.Title, one.Digest()[:12])
	}
	_, _ = fmt.Fprintf(w, "set\t\t\t%d profiles\t%s\n", len(set), set.Digest()[:12])
	return w.Flush()
}
