package main

import (
	"encoding/hex"
	"slices"

	"senim/pki"
)

// productionAuthorities are SHA-256 fingerprints of the НУЦ's production authorities (crypto.md §6).
func productionAuthorities() []string {
	return []string{
		"af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca", // root GOST 2022
		"32c7d233a42703a327f3025543a05b930e3f39a786c68dfa196baa86d5618524", // NCA GOST 2022
		"9ba06354b626641715182e4d07c9dbaa1777720fa795d03174ffc68876535dcd", // root RSA 2020
		"84fb799a66140950818c056a5d9730acc2a7622cdd4ef0d47113b132fb892905", // NCA RSA 2022
	}
}

// production reports an authority whose certificates real people use.
func production(c *pki.Certificate) bool {
	sum := c.Fingerprint()
	return slices.Contains(productionAuthorities(), hex.EncodeToString(sum[:]))
}
