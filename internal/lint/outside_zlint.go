//go:build !windows

package lint

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/zmap/zcrypto/x509"
	zl "github.com/zmap/zlint/v3"
	zreg "github.com/zmap/zlint/v3/lint"
)

// Outside reports that zlint is part of this build. Where it is not, RSA certificates are refused.
const Outside = true

// registry is the rules that are asked, chosen when the first RSA certificate comes.
var registry = sync.OnceValues(func() (zreg.Registry, error) {
	var exclude []string
	var sources zreg.SourceList
	for _, n := range OutsideNotApplied() {
		if n.Source {
			sources = append(sources, zreg.LintSource(n.Name))
		} else {
			exclude = append(exclude, n.Name)
		}
	}
	return zreg.GlobalRegistry().Filter(zreg.FilterOptions{ExcludeSources: sources, ExcludeNames: exclude})
})

// zlint runs the rules. A warning is a finding: what is excused is in the table, with its reason.
// A root linted under a throw-away key does not look self-signed, so its rules are told.
func zlint(der []byte, root bool) error {
	rules, err := registry()
	if err != nil {
		return fmt.Errorf("zlint: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("zlint: %w", err)
	}
	c.SelfSigned = root
	var found []string
	for name, r := range zl.LintCertificateEx(c, rules).Results {
		if r.Status >= zreg.Warn {
			found = append(found, name+" ("+r.Status.String()+")")
		}
	}
	if found != nil {
		return errors.New(strings.Join(found, ", "))
	}
	return nil
}
