package ca

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"senim/algid"
)

// NextGeneration plans what takes over from an issuing authority: "gost2" after "gost", "… G2" after its
// name, with the same algorithm, addresses and policies. With newRoot a new root goes before it, and the
// two roots certify each other; without, the new authority stands under the old one's parent. The plans
// are to be read, changed where it is wanted, and given to [Create].
func NextGeneration(ctx context.Context, c Ceremony, name string, newRoot bool) ([]AuthorityPlan, error) {
	m, err := begin(c)
	if err == nil {
		err = m.load(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("next generation of %s: %w", name, err)
	}
	old := m.known[name]
	if old == nil || !old.issuing() {
		return nil, fmt.Errorf("next generation of %s: no such issuing authority: %w", name, ErrNotFound)
	}
	next := old.next()
	next.Parent = old.parent
	if !newRoot {
		return []AuthorityPlan{next}, nil
	}
	root := m.known[old.parent]
	for root != nil && root.parent != "" {
		root = m.known[root.parent]
	}
	if root == nil {
		return nil, fmt.Errorf("next generation of %s: its root is not recorded here: %w", name, ErrNotFound)
	}
	above := root.next()
	if above.Address == "" { // its cross-certificates say where the lists are
		above.Address = next.Address
	}
	next.Parent = above.Name
	return []AuthorityPlan{above, next}, nil
}

// next plans the follower of a recorded authority.
func (a *party) next() AuthorityPlan {
	years := a.cert.NotAfter.Year() - a.cert.NotBefore.Year()
	p := AuthorityPlan{Name: step(a.name, ""), Algorithm: a.cert.Key, CommonName: step(a.commonName(), " G"), Organization: a.settings.Organization,
		Address: a.settings.Address, Policy: a.settings.Policy, CPS: a.settings.CPS, Years: min(max(years, 1), 40), PathLength: a.cert.MaxPathLen,
		Follows: a.name, NoTSA: a.settings.NoTSA, Token: inToken(a.keyName)}
	if p.Algorithm == algid.RSA {
		p.Bits = a.bits()
	}
	if p.Address == "" && len(a.settings.Issuers) == 1 { // of before Settings.Address
		p.Address = trimPath(a.settings.Issuers[0], "/cert/"+a.name+".cer")
	}
	return p
}

func trimPath(address, path string) string {
	if n := len(address) - len(path); n > 0 && address[n:] == path {
		return address[:n]
	}
	return ""
}

var generation = regexp.MustCompile(`^(.*?)([0-9]+)$`)

// step counts the generation at the end of a name up: gost, gost2, gost3. Years, as in "… 2022", are no
// generations.
func step(name, mark string) string {
	if at := generation.FindStringSubmatch(name); at != nil && len(at[2]) < 3 && len(at[1]) > len(mark) && at[1][len(at[1])-len(mark):] == mark {
		n, err := strconv.Atoi(at[2])
		if err == nil {
			return at[1] + strconv.Itoa(n+1)
		}
	}
	return name + mark + "2"
}
