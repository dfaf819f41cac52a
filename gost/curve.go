package gost

import (
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"senim/gost/internal/group"
)

// Curve is one of the three groups in use. It is immutable, made once, and safe for concurrent use.
// The zero value is no curve: what takes it returns an error.
type Curve struct {
	name   string
	size   int
	wide   *engine512 // one of the two is set
	narrow *engine256
	eight  *group.Eight512 // nil where the processor cannot do it, and on the shorter curves
}

// parameters are the numbers of a curve in hexadecimal, highest digit first.
type parameters struct {
	a, b, q, x, y string
	even          bool // the cofactor is not 1
}

// TC26_512A returns the 512-bit curve id-tc26-gost-3410-12-512-paramSetA (RFC 7836), cofactor 1.
func TC26_512A() *Curve { return tc26A512() }

// TC26_256A returns id-tc26-gost-3410-2012-256-paramSetA (RFC 7836) in Weierstrass form, cofactor 4.
func TC26_256A() *Curve { return tc26A256() }

// CryptoProA returns id-GostR3410-2001-CryptoPro-A-ParamSet (RFC 4357), cofactor 1.
func CryptoProA() *Curve { return cryptoProA() }

var tc26A512 = sync.OnceValue(func() *Curve {
	wide := newEngine512(parameters{
		a: strings.Repeat("F", 125) + "DC4",
		b: "E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265" +
			"EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760",
		q: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" +
			"27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275",
		x: "3",
		y: "7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921" +
			"DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4",
	})
	return &Curve{name: "tc26-512-A", size: 64, wide: wide, eight: group.NewEight512(wide.curve)}
})

var tc26A256 = sync.OnceValue(func() *Curve {
	return &Curve{name: "tc26-256-A", size: 32, narrow: newEngine256(parameters{
		a: "C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335",
		b: "295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513",
		q: "400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67",
		x: "91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28",
		y: "32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C",

		even: true,
	})}
})

var cryptoProA = sync.OnceValue(func() *Curve {
	return &Curve{name: "CryptoPro-A", size: 32, narrow: newEngine256(parameters{
		a: strings.Repeat("F", 61) + "D94",
		b: "A6",
		q: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893",
		x: "1",
		y: "8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14",
	})}
})

// Size returns the number of bytes of one coordinate, of a scalar and of a digest: 64 or 32, and 0
// for no curve.
func (c *Curve) Size() int {
	if c == nil {
		return 0
	}
	return c.size
}

// String returns a short name for people: "tc26-512-A", "tc26-256-A" or "CryptoPro-A".
func (c *Curve) String() string {
	if !c.valid() {
		return "no curve"
	}
	return c.name
}

func (c *Curve) valid() bool { return c != nil && (c.wide != nil || c.narrow != nil) }

// bigEndian reads one of the constants above.
func bigEndian(s string, size int) []byte {
	b, err := hex.DecodeString(strings.Repeat("0", 2*size-len(s)) + s)
	if err != nil {
		panic(err)
	}
	return b
}

func littleEndian(s string, size int) []byte {
	b := bigEndian(s, size)
	slices.Reverse(b)
	return b
}
